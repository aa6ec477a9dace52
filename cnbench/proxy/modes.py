"""kube-proxy's modes by name."""

from __future__ import annotations

from collections.abc import Callable, Collection

from cnbench.core.errors import UsageError
from cnbench.lab.long_work import LongWork
from cnbench.proxy.iptables import program as iptables
from cnbench.proxy.iptables.loader import FrontEnd, IptablesProxy
from cnbench.proxy.ipvs import loader as ipvs_loader
from cnbench.proxy.loader import Namespace, Proxy
from cnbench.proxy.model import Service
from cnbench.proxy.nftables import program as nftables
from cnbench.proxy.nftables.loader import NftablesProxy
from cnbench.proxy.node import Node

_PROGRAMS: dict[str, Callable[[Collection[Service], Node], str]] = {
    "iptables": iptables.program,
    "iptables-nft": iptables.program,
    "nftables": nftables.program,
    "ipvs": ipvs_loader.program,
}
MODES = tuple(_PROGRAMS)


def generate(mode: str, services: Collection[Service], node: Node | None = None) -> str:
    """Write the program that kube-proxy loads in ``mode``, for every service.

    Raises:
        UsageError: there is no such mode.
    """
    return _PROGRAMS[_checked(mode)](services, node or Node())


def open_proxy(
    mode: str,
    namespace: Namespace,
    node: Node | None = None,
    *,
    scheduler: str = "rr",
    work: LongWork | None = None,
) -> Proxy:
    """Give kube-proxy's ``mode``, ready to program services in a namespace.

    ``scheduler`` is IPVS's; ``work`` is told how far long programming is. Where the kernel lacks
    what a mode needs, the first programming raises UnsupportedError.

    Raises:
        UsageError: there is no such mode or scheduler.
    """
    node, work = node or Node(), work or LongWork()
    match _checked(mode):
        case "nftables":
            return NftablesProxy(namespace, node, work)
        case "ipvs":
            return ipvs_loader.IpvsProxy(namespace, node, work, scheduler)
        case "iptables-nft":
            return IptablesProxy(namespace, node, work, FrontEnd.NFT)
        case _:
            return IptablesProxy(namespace, node, work, FrontEnd.LEGACY)


def _checked(mode: str) -> str:
    if mode not in MODES:
        raise UsageError(f"no mode '{mode}'", f"choose from {', '.join(MODES)}")
    return mode
