"""What a mode's own tool takes for a program that lies ready: the measure of our own share.

Not timed: the writing of the program. In IPVS mode the tool is ``ipvsadm -R``, which makes the
virtual and the real servers and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnbench.lab.netns import NetworkNamespace
from cnbench.network.service_path import POD_CIDR
from cnbench.proxy import Node, Service
from cnbench.proxy.iptables import program as iptables
from cnbench.proxy.iptables.loader import LOCK_SECONDS
from cnbench.proxy.ipvs import program as ipvs
from cnbench.proxy.loader import LOAD_SECONDS
from cnbench.proxy.nftables import program as nftables


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
    mode: str, node: NetworkNamespace, services: Collection[Service], scheduler: str, folder: Path
) -> ToolAlone:
    """The tool of ``mode`` and its program for ``services``, as a file in ``folder``."""
    file = folder / "program"
    if mode == "ipvs":
        planned = ipvs.plan(services, Node(pod_cidr=POD_CIDR))
        file.write_text(ipvs.ipvsadm_program(planned, scheduler))
        return ToolAlone(node, ["ipvsadm", "-R"], file, lambda: node.run(["ipvsadm", "-C"]))
    if mode == "nftables":
        file.write_text(nftables.program(services, Node(pod_cidr=POD_CIDR)))
        return ToolAlone(
            node,
            ["nft", "-f", str(file)],
            None,
            lambda: node.run(["nft", "delete", "table", "ip", "kube-proxy"]),
        )
    file.write_text(iptables.program(services, Node(pod_cidr=POD_CIDR), from_empty=True))
    front_end = "iptables-nft" if mode == "iptables-nft" else "iptables-legacy"
    restore = f"{front_end}-restore"
    return ToolAlone(
        node,
        [restore, "--wait", LOCK_SECONDS, "--noflush", "--counters", str(file)],
        None,
        lambda: node.run([restore], input=iptables.EMPTY_PROGRAM),
    )
