"""What a mode's own tool takes for a program that lies ready: the measure of our own share.

Not timed: the writing of the program. In IPVS mode the tool is ``ipvsadm -R``, which makes the
virtual and the real servers and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnbench.experiments.service_routing.halves import Half
from cnbench.lab.netns import NetworkNamespace
from cnbench.proxy.iptables import program as iptables
from cnbench.proxy.iptables.loader import LOCK_SECONDS, TOOLS
from cnbench.proxy.ipvs import program as ipvs
from cnbench.proxy.loader import LOAD_SECONDS
from cnbench.proxy.nftables import program as nftables
from cnbench.proxy.nftables.dialect import dialect_of


@dataclass(frozen=True)
class ToolAlone:
    """A tool and its input.

    Attributes:
        node: where it runs.
        argv: the command.
        input: the file that it reads from its standard input, if it does.
        clear: takes what it made out of the namespace again.
    """

    node: NetworkNamespace
    argv: Sequence[str]
    input: Path | None
    clear: Callable[[], object]

    def run(self) -> None:
        """Load the program; what is to be timed."""
        self.node.run(self.argv, input=self.input, timeout=LOAD_SECONDS)


def tool_alone(
    mode: str, node: NetworkNamespace, half: Half, scheduler: str, folder: Path
) -> ToolAlone:
    """The tool of ``mode`` and its program for one family, as a file in ``folder``."""
    file, services, known = folder / f"program-{half.family}", half.services, half.node
    if mode == "ipvs":
        planned = ipvs.plan(services, known)
        file.write_text(ipvs.ipvsadm_program(planned, scheduler))
        return ToolAlone(node, ["ipvsadm", "-R"], file, lambda: node.run(["ipvsadm", "-C"]))
    if mode == "nftables":
        file.write_text(nftables.program(services, known))
        table = dialect_of(known).table.split()
        return ToolAlone(
            node,
            ["nft", "-f", str(file)],
            None,
            lambda: node.run(["nft", "delete", "table", *table]),
        )
    file.write_text(iptables.program(services, known, from_empty=True))
    front_end = "nft" if mode == "iptables-nft" else "legacy"
    restore = f"{TOOLS[half.family]}-{front_end}-restore"
    return ToolAlone(
        node,
        [restore, "--wait", LOCK_SECONDS, "--noflush", "--counters", str(file)],
        None,
        lambda: node.run([restore], input=iptables.EMPTY_PROGRAM),
    )
