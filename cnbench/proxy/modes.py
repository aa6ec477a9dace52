"""kube-proxy's modes by name."""

from __future__ import annotations

from collections.abc import Callable, Collection

from cnbench.proxy import iptables, ipvs_loader, nftables
from cnbench.proxy.iptables_loader import FrontEnd, IptablesProxy
from cnbench.proxy.loader import Namespace, Progress, Proxy, untold
from cnbench.proxy.model import Node, Service
from cnbench.proxy.nftables_loader import NftablesProxy

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
    progress: Progress = untold,
) -> Proxy:
    """Give kube-proxy's ``mode``, ready to program services in a namespace.

    ``scheduler`` is IPVS's; ``progress`` is told how far long programming is. Raises ValueError for
    an unknown mode or scheduler; the first programming raises UnsupportedError where the kernel
    lacks IPVS.
    """
    node = node or Node()
    match _checked(mode):
        case "nftables":
            return NftablesProxy(namespace, node, progress)
        case "ipvs":
            return ipvs_loader.IpvsProxy(namespace, node, scheduler, progress)
        case "iptables-nft":
            return IptablesProxy(namespace, node, FrontEnd.NFT)
        case _:
            return IptablesProxy(namespace, node, FrontEnd.LEGACY)


def _checked(mode: str) -> str:
    if mode not in MODES:
        raise ValueError(f"no mode {mode!r}; there are {', '.join(MODES)}")
    return mode
