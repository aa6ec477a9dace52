"""The iptables rules of plain service ports, many at a time.

Most services of a cluster are plain: one cluster IP, and endpoints that are all ready. What
kube-proxy writes for two of them differs in names and addresses alone, if they have the same
protocol, affinity and number of endpoints. So `PortRules` writes one example of each such form,
and the values of a whole run of ports are put where the example's stand. A service of two endpoints
takes 4 µs so, most of it for the hashes; one by one it took 14, where iptables-restore takes 42.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from cnbench.proxy.family import Family
from cnbench.proxy.iptables.service_port import PortRules
from cnbench.proxy.model import Endpoint, Service, ServicePort, TrafficPolicy
from cnbench.proxy.names import iptables_hashes
from cnbench.proxy.node import Node

# Enough that naming them together is cheap, and few enough that the tool need not wait for them.
_CHAINS_AT_ONCE = 512

# What stands in an example for the values of a port: no port has this number, for one.
_EXAMPLE_PORT = 10**20
_EXAMPLES = re.compile(
    rf"(<namespace>/<name>:<port>|<cluster IP>|<endpoint \d+>(?::0)?|\[<endpoint: \d+>\]:0"
    rf"|<endpoint: \d+>|{_EXAMPLE_PORT}"
    r"|(?<=-)[A-Z2-7]{16}\b)"
)


def is_plain(service: Service) -> bool:
    """Whether all ports of a service are plain."""
    if (
        service.external_ips
        or service.load_balancer_ips
        or service.health_check_node_port
        or not service.cluster_ip
        or service.internal_policy is not TrafficPolicy.CLUSTER
    ):
        return False
    for port in service.ports:
        if port.node_port or not port.endpoints:
            return False
        for endpoint in port.endpoints:
            if not (endpoint.ready and endpoint.near):
                return False
    return True


class PortShape(NamedTuple):
    """What ports have in common whose rules differ in names and addresses alone.

    ``endpoints`` is 0 where the rules of the ports' own chains are not asked for: the jumps to
    these are the same whatever is behind them.
    """

    protocol: str
    affinity_seconds: int
    endpoints: int


class Text:
    """The text of an example, with places for the values of other ports."""

    def __init__(self, lines: Sequence[str], examples: Mapping[str, int]) -> None:
        self._parts = _EXAMPLES.split("".join(f"{line}\n" for line in lines))
        self._places = [
            (place, examples[self._parts[place]]) for place in range(1, len(self._parts), 2)
        ]

    def of(self, values: Sequence[Sequence[str]], count: int) -> str:
        """Give the lines of ``count`` ports, without the last line's end.

        ``values`` has for each of the examples those of all ports.
        """
        every = len(self._parts)
        parts = self._parts * count
        for place, example in self._places:
            parts[place::every] = values[example]
        return "".join(parts)[:-1]


@dataclass(frozen=True)
class Form:
    """What is written for ports of one shape."""

    declarations: Text
    ways_in: Text
    whole: Text


@lru_cache(maxsize=32)
def form_of(shape: PortShape, node: Node, *, large: bool) -> Form:
    """Have an example written of a port with that shape, and mark its values in it."""
    # An IPv6 address is told by its colons, and is written in brackets before a port.
    colon = ":" if node.family is Family.IPV6 else ""
    behind = tuple(Endpoint(f"<endpoint{colon} {nth}>", 0) for nth in range(shape.endpoints or 1))
    port = ServicePort(_EXAMPLE_PORT, behind, "<port>", shape.protocol)
    service = Service("<namespace>", "<name>", "<cluster IP>", (port,), shape.affinity_seconds)
    rules = PortRules(service, port, node, large)
    values = [rules.name, service.cluster_ip, str(port.port), rules.suffix]
    for endpoint, chain in rules.endpoint_chains():
        values += [str(endpoint), endpoint.address, chain.rpartition("-")[2]]
    examples = {value: number for number, value in enumerate(values)}
    ways_in: list[str] = []
    whole: list[str] = []
    rules.write(ways_in.append, whole=False)
    rules.write(whole.append, whole=True)
    return Form(*(Text(lines, examples) for lines in (rules.declarations(), ways_in, whole)))


class PlainRun:
    """Plain ports of one shape, in a row."""

    def __init__(
        self, shape: PortShape, form: Form, ports: Sequence[tuple[Service, ServicePort]]
    ) -> None:
        self.whole = bool(shape.endpoints)
        self._form = form
        self._count = len(ports)
        names = [service.port_name(port) for service, port in ports]
        self._values = [
            names,
            [service.cluster_ip for service, _ in ports],
            [str(port.port) for _, port in ports],
        ]
        hashed = [name + shape.protocol for name in names]
        self._values.append(iptables_hashes(hashed))
        if self.whole:
            self._add_endpoints(hashed, [port.endpoints for _, port in ports])

    def _add_endpoints(
        self, hashed: Sequence[str], endpoints: Sequence[Sequence[Endpoint]]
    ) -> None:
        """Add the endpoints' values, and name their chains."""
        addresses = [endpoint.address for some in endpoints for endpoint in some]
        texts = [str(endpoint) for some in endpoints for endpoint in some]
        behind = len(endpoints[0])
        starts = [start for start in hashed for _ in range(behind)]
        hashes = iptables_hashes(list(map(operator.add, starts, texts)))
        for nth in range(behind):
            self._values += texts[nth::behind], addresses[nth::behind], hashes[nth::behind]

    def declarations(self) -> list[str]:
        """Declare the chains that are the ports' own."""
        return [self._form.declarations.of(self._values, self._count)]

    def write(self, add: Callable[[str], None], *, whole: bool) -> None:
        """Add the jumps to the ports' chains, and with ``whole`` the rules of these."""
        text = self._form.whole if whole else self._form.ways_in
        add(text.of(self._values, self._count))


class PlainRuns:
    """Puts plain ports, as they come, into runs of one shape."""

    def __init__(self, node: Node, *, large: bool) -> None:
        self._node = node
        self._large = large
        self._shape = ("", 0, 0)
        self._ports: list[tuple[Service, ServicePort]] = []
        self._most = 0

    def add(self, service: Service, port: ServicePort, *, whole: bool) -> PlainRun | None:
        """Take the next port, and give the run before it where that has come to its end."""
        ended = None
        shape = (port.protocol, service.affinity_seconds, len(port.endpoints) if whole else 0)
        if shape != self._shape or len(self._ports) >= self._most:
            ended = self.end()
            self._shape = shape
            self._most = _CHAINS_AT_ONCE // (1 + shape[2]) or 1
        self._ports.append((service, port))
        return ended

    def end(self) -> PlainRun | None:
        """Give the run that has begun, if there is one: what comes next is no plain port."""
        if not self._ports:
            return None
        shape = PortShape(*self._shape)
        form = form_of(shape, self._node, large=self._large)
        ended = PlainRun(shape, form, self._ports)
        self._ports = []
        return ended
