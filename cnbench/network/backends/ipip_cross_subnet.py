"""ipip-cross-subnet: Calico's IPIP mode CrossSubnet, a tunnel only where routers are between."""

from __future__ import annotations

from cnbench.core.proof import Check
from cnbench.network.backend import PLAIN, Backend, Encapsulation
from cnbench.network.backends import bgp, ipip
from cnbench.network.topology import Topology


def _encapsulation(hops: int) -> Encapsulation:
    return ipip.ENCAPSULATION if hops else PLAIN


def _in_use(topology: Topology) -> Backend:
    return bgp.BACKEND if topology.underlay.one_layer_2 else ipip.BACKEND


def _install(topology: Topology) -> None:
    _in_use(topology).install(topology)


def _checks(topology: Topology) -> tuple[Check, ...]:
    return _in_use(topology).checks(topology)


BACKEND = Backend(
    name="ipip-cross-subnet",
    summary="Calico's IPIP, mode CrossSubnet: a tunnel across routers, plain routes without",
    encapsulation=_encapsulation,
    install=_install,
    checks=_checks,
    require=ipip.require,
)
