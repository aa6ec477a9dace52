"""Backends that put the pods on the underlay itself: macvlan and ipvlan."""

from __future__ import annotations

from cnbench.core.proof import Check, equal
from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace
from cnbench.network.backend import PLAIN, Backend
from cnbench.network.devices import links
from cnbench.network.pods import on_underlay
from cnbench.network.topology import Topology
from cnbench.network.underlay import DEVICE


def backend_on_underlay(kind: str, summary: str) -> Backend:
    """The backend whose pods have a device of ``kind`` (``macvlan``, ``ipvlan``)."""

    def install(topology: Topology) -> None:
        """Nothing: the pods' devices are all there is."""

    def checks(topology: Topology) -> tuple[Check, ...]:
        return tuple(
            equal(f"kind of eth0 in the {node.pod.name}", kind, _kind(node.pod))
            for node in topology.nodes
        )

    def require(lab: Lab) -> None:
        with (
            lab.network_namespace("trial") as trial,
            lab.network_namespace("its pod") as pod,
        ):
            links.make(trial, DEVICE, "veth")
            on_underlay(pod, trial, kind)

    return Backend(
        name=kind,
        summary=summary,
        encapsulation=lambda hops: PLAIN,
        install=install,
        checks=checks,
        require=require,
        attachment=kind,
    )


def _kind(pod: NetworkNamespace) -> str:
    with links.link(pod, "eth0") as (route, index):
        return str(route.get_links(index)[0].get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND"))
