"""kube-proxy's modes by name."""

from __future__ import annotations

from collections.abc import Callable, Collection

from cnbench.lab.long_work import LongWork
from cnbench.proxy.iptables import program as iptables
from cnbench.proxy.iptables.loader import FrontEnd, IptablesProxy
from cnbench.proxy.ipvs import loader as ipvs_loader
from cnbench.proxy.loader import Namespace, Proxy
from cnbench.proxy.model import Node, Service
from cnbench.proxy.nftables import program as nftables
from cnbench.proxy.nftables.loader import NftablesProxy

_PROGRAMS: dict[str, Callable[[Collection[Service], Node], str]] = {
    "iptables": iptables.program,
    "iptables-nft": iptables.program,
    "nftables": nftables.program,
    "ipvs": ipvs_loader.program,
}
MODES = tuple(_PROGRAMS)


def generate(mode: str, services: Collection[Service], node: Node | None = None) -> str:
    """Write the program that kube-proxy loads in ``mode``, for every service.

    Raises ValueError for an unknown mode.
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

    ``scheduler`` is IPVS's; ``work`` is told how far long programming is. Raises ValueError for an
    unknown mode or scheduler; the first programming raises UnsupportedError where the kernel lacks
    IPVS.
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
        raise ValueError(f"no mode {mode!r}; there are {', '.join(MODES)}")
    return mode
