"""What a mode's own tool takes for a program that lies ready: the measure of our own share.

Not timed: kube-proxy's own chains, which it makes once, and the writing of the program. In IPVS
mode the tool is ``ipvsadm -R``, which makes the virtual and the real servers and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnbench.lab.netns import NetworkNamespace
from cnbench.network.service_path import POD_CIDR
from cnbench.proxy import Node, Service, generate, iptables, ipvs

_NO_LIMIT = 7200.0


@dataclass(frozen=True)
class ToolAlone:
    """A tool and its input.

    Attributes:
        node: where it runs.
        prepare: what it needs to find there.
        argv: the command.
        input: what it reads from its standard input.
        clear: takes what it made out of the namespace again.
    """

    node: NetworkNamespace
    prepare: Callable[[], object]
    argv: Sequence[str]
    input: str | None
    clear: Callable[[], object]

    def run(self) -> None:
        """Load the program; what is to be timed."""
        self.node.run(self.argv, input=self.input, timeout=_NO_LIMIT)


def tool_alone(
    mode: str, node: NetworkNamespace, services: Collection[Service], scheduler: str, folder: Path
) -> ToolAlone:
    """The tool of ``mode`` and its program for ``services``, as a file in ``folder``."""
    if mode == "ipvs":
        planned = ipvs.plan(services, Node(pod_cidr=POD_CIDR))
        program = ipvs.ipvsadm_program(planned, scheduler)
        return ToolAlone(
            node, _nothing, ["ipvsadm", "-R"], program, lambda: node.run(["ipvsadm", "-C"])
        )
    file = folder / "program"
    file.write_text(generate(mode, services, Node(pod_cidr=POD_CIDR)))
    if mode == "nftables":
        return ToolAlone(
            node,
            _nothing,
            ["nft", "-f", str(file)],
            None,
            lambda: node.run(["nft", "delete", "table", "ip", "kube-proxy"]),
        )
    front_end = "iptables-nft" if mode == "iptables-nft" else "iptables-legacy"
    restore = [f"{front_end}-restore", "--noflush"]
    return ToolAlone(
        node,
        lambda: node.run(restore, input=iptables.base_program()),
        [*restore, "--counters", str(file)],
        None,
        lambda: node.run(restore[:1], input=iptables.EMPTY_PROGRAM),
    )


def _nothing() -> None:
    """What `nft -f` and `ipvsadm -R` need to find."""
