"""The data path: what setting up a connection through a service costs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cnbench.core.metric import Metric
from cnbench.core.parameter import Params
from cnbench.core.proof import Proof, equal
from cnbench.experiments.service_routing.cluster import Cluster, cluster_of, index_of
from cnbench.lab.cpus import pinned
from cnbench.lab.host import Lab
from cnbench.proxy import Service

CONNECT = Metric("connect", "s", "lower", "ratio", "time to set up a TCP connection, median")


@dataclass
class ConnectSubject:
    """One of a cluster's services, or the way past them all."""

    cluster: Cluster
    lab: Lab
    service: Service
    direct: bool
    probes: int
    _made: int = 0
    _answered_by: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._before = self._counters()

    def sample(self) -> Mapping[str, float]:
        """The median time to connect, of ``probes`` connections."""
        with pinned():
            batch = self.cluster.connector.connect(self._target, self.probes)
        self._made += batch.made
        self._answered_by |= batch.answered_by
        return {CONNECT.name: self.lab.clock.units(batch.median_ticks())}

    @property
    def _target(self) -> tuple[str, int]:
        port = self.service.ports[0]
        if self.direct:
            return port.endpoints[0].address, port.endpoints[0].port
        return self.service.cluster_ip, port.port

    def _counters(self) -> tuple[int, int]:
        """Connections that the service's chain and all its endpoints' chains have counted."""
        counted = self.cluster.proxy.counters(self.service, self.service.ports[0])
        return counted.service, sum(counted.endpoints.values())

    def proof(self) -> Proof:
        """Every connection, and nothing else, was counted by the service's own chains."""
        if self.direct:
            host, port = self._target
            dialled = {f"{host}:{port}"}
            return Proof((equal("answered at the address dialled", dialled, self._answered_by),))
        service, endpoints = (
            now - before for now, before in zip(self._counters(), self._before, strict=True)
        )
        own = {str(endpoint) for endpoint in self.service.ports[0].endpoints}
        strangers = sorted(self._answered_by - own)
        return Proof(
            (
                equal("connections counted by the service's chain", self._made, service),
                equal("connections counted by its endpoints' chains", self._made, endpoints),
                equal("answered by anything but its endpoints", [], strangers),
            )
        )


@contextlib.contextmanager
def open_connect(params: Params, lab: Lab) -> Iterator[ConnectSubject]:
    """One service of a cluster that all positions of a mode share."""
    cluster = cluster_of(params, lab)
    position = str(params["position"])
    direct = position == "none"
    index = index_of("first" if direct else position, len(cluster.services))
    yield ConnectSubject(cluster, lab, cluster.services[index], direct, int(params["probes"]))
