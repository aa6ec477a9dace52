"""service-routing: what does a Service cost, as the rules grow?

A connection's first packet alone walks the nat table; conntrack remembers where the others go. So
what is timed is the set-up of TCP connections through a service's cluster address, every one from a
source of its own. Only what is asked for differs: which of the services in the table is addressed,
or (``position=none``, the control) the endpoint itself, which passes all rules and matches none.
"""

from __future__ import annotations

import contextlib
import functools
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cnbench.core.errors import CommandError, UnsupportedError
from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Params
from cnbench.core.proof import Proof, equal
from cnbench.lab import commands
from cnbench.lab.cpus import pinned
from cnbench.lab.host import Lab
from cnbench.network.service_path import (
    BACKENDS,
    CLIENTS,
    POD_CIDR,
    ServicePath,
    open_service_path,
)
from cnbench.probes.connect import Connector, open_connector
from cnbench.proxy import Endpoint, Node, Proxy, Service, open_proxy, synthetic_services

_TARGET_PORT = 8080

# What each mode needs on the node, and a harmless command that fails where the kernel lacks it.
_TOOLS = {
    "iptables": ["iptables-legacy", "-t", "nat", "-S"],
    "iptables-nft": ["iptables-nft", "-t", "nat", "-S"],
    "nftables": ["nft", "list", "tables"],
}


@dataclass
class Cluster:
    """A path whose node is programmed with services, and the connector that probes it."""

    path: ServicePath
    services: list[Service]
    proxy: Proxy
    connector: Connector


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
        return {"connect": self.lab.clock.units(statistics.median(batch.ticks))}

    @property
    def _port(self) -> int:
        return self.service.ports[0].port

    @property
    def _endpoints(self) -> list[str]:
        return [str(endpoint) for endpoint in self.service.ports[0].endpoints]

    @property
    def _target(self) -> tuple[str, int]:
        if self.direct:
            endpoint = self.service.ports[0].endpoints[0]
            return endpoint.address, endpoint.port
        return self.service.cluster_ip, self._port

    def _counters(self) -> tuple[int, int]:
        """Connections that the service's chain and all its endpoints' chains have counted."""
        counted = self.cluster.proxy.counters(self.service, self.service.ports[0])
        return counted.service, sum(counted.endpoints.values())

    def proof(self) -> Proof:
        """Every connection, and nothing else, was counted by the service's own chains."""
        if self.direct:
            host, port = self._target
            return Proof(
                (
                    equal(
                        "answered at the address dialled",
                        {f"{host}:{port}"},
                        self._answered_by,
                    ),
                )
            )
        service, endpoints = (
            now - before for now, before in zip(self._counters(), self._before, strict=True)
        )
        strangers = sorted(self._answered_by - set(self._endpoints))
        return Proof(
            (
                equal("connections counted by the service's chain", self._made, service),
                equal("connections counted by its endpoints' chains", self._made, endpoints),
                equal("answered by anything but its endpoints", [], strangers),
            )
        )


@contextlib.contextmanager
def open_cluster(lab: Lab, mode: str, count: int, endpoints: int) -> Iterator[Cluster]:
    """A path with ``count`` services in ``mode``; those that are probed have real endpoints."""
    addresses = [str(BACKENDS[host]) for host in range(1, endpoints + 1)]
    real = [Endpoint(address, _TARGET_PORT) for address in addresses]
    probed = {_index(position, count): real for position in ("first", "middle", "last")}
    services = synthetic_services(count, endpoints, target_port=_TARGET_PORT, backends=probed)
    with open_service_path(lab) as path:
        proxy = open_proxy(mode, path.node, node=Node(pod_cidr=POD_CIDR))
        proxy.sync(services)
        for index in probed:
            proxy.watch(services[index])
        with open_connector(
            path.client, path.backend, _TARGET_PORT, CLIENTS, lab.clock
        ) as connector:
            yield Cluster(path, services, proxy, connector)


@contextlib.contextmanager
def open_subject(params: Params, lab: Lab) -> Iterator[ConnectSubject]:
    """One service of a cluster that all positions of a mode share."""
    mode, count, endpoints = str(params["mode"]), int(params["services"]), int(params["endpoints"])
    position = str(params["position"])
    cluster = lab.fixture(
        ("cluster", mode, count, endpoints), lambda: open_cluster(lab, mode, count, endpoints)
    )
    direct = position == "none"
    service = cluster.services[_index("first" if direct else position, count)]
    yield ConnectSubject(cluster, lab, service, direct, int(params["probes"]))


def _index(position: str, count: int) -> int:
    return {"first": 0, "middle": count // 2, "last": count - 1}[position]


def _same_service(params: Params) -> str:
    if params["services"] == 1 and params["position"] in ("middle", "last"):
        return f"with one service, the {params['position']} is the first"
    return ""


def _require(params: Params, lab: Lab) -> None:
    refusal = _refusal(str(params["mode"]), lab)
    if refusal:
        raise refusal.with_traceback(None)


@functools.cache
def _refusal(mode: str, lab: Lab) -> UnsupportedError | None:
    """Why ``lab`` cannot do ``mode``, found by asking its kernel in a namespace made for that."""
    try:
        commands.require(_TOOLS[mode][0])
        with lab.network_namespace("trial") as trial:
            trial.run(_TOOLS[mode])
    except UnsupportedError as error:
        return error
    except CommandError as error:
        return UnsupportedError(
            f"this kernel cannot do {mode}: {error}", "use the guest lab: --lab guest"
        )
    return None


EXPERIMENT = Experiment(
    name="service-routing",
    question="What does a connection through a Service cost, as the number of services grows?",
    parameters=(
        Parameter(
            "mode",
            "kube-proxy's mode",
            quick=("iptables", "nftables"),
            full=("iptables", "iptables-nft", "nftables"),
            choices=("iptables", "iptables-nft", "nftables"),
        ),
        Parameter(
            "services",
            "services in the cluster",
            quick=(1, 100, 1000, 5000),
            full=(1, 10, 100, 1000, 5000, 10_000),
            whole=True,
            minimum=1,
            maximum=100_000,
        ),
        Parameter(
            "endpoints",
            "endpoints of each service",
            quick=(1,),
            full=(1, 10),
            whole=True,
            minimum=1,
            maximum=1000,
        ),
        Parameter(
            "position",
            "which service is addressed; none is the endpoint itself, past all rules",
            quick=("first", "middle", "last", "none"),
            full=("first", "middle", "last", "none"),
            choices=("first", "middle", "last", "none"),
        ),
        Parameter(
            "probes",
            "connections in one sample",
            quick=(200,),
            full=(500,),
            whole=True,
            minimum=1,
            maximum=10_000,
        ),
    ),
    metrics=(Metric("connect", "s", "lower", "ratio", "time to set up a TCP connection, median"),),
    variant="mode",
    beside=("position",),
    subject=open_subject,
    require=_require,
    nonsense=_same_service,
    tools=("iptables-legacy", "iptables-nft", "nft"),
)
