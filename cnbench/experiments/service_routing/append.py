"""Rules added one by one, each by an ``iptables`` process of its own.

Nobody programs services so, kube-proxy least of all: it loads one program with iptables-restore,
which is what ``measure=sync`` times. But the famous "11 minutes for 5,000 services" were measured
so (kubernetes/community#692). Every call takes the whole table out of the kernel and puts it back,
so that all of them together grow with the square of the rules.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cnbench.core.metric import Metric
from cnbench.core.parameter import Point
from cnbench.core.proof import Proof, equal
from cnbench.experiments.service_routing.halves import services_of
from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace

APPEND = Metric(
    "append", "s", "lower", "ratio", "time to add the rules one by one, each by iptables -A"
)
APPEND_LAST = Metric("append_last", "s", "lower", "ratio", "time to add the last of them")
FRONT_ENDS = {"iptables": "iptables-legacy", "iptables-nft": "iptables-nft"}
MOST_RULES = 1000

_CHAIN = "KUBE-SERVICES"
_TARGET = "KUBE-SVC-ONE"


@dataclass
class AppendSubject:
    """A node, and a rule for each of some services: the jump that kube-proxy writes for it."""

    node: NetworkNamespace
    front_end: str
    rules: Sequence[Sequence[str]]
    lab: Lab

    def sample(self) -> Mapping[str, float]:
        """All rules, one by one, into an empty chain."""
        self._run("-F")
        self._run("-X")
        for chain in (_CHAIN, _TARGET):
            self._run("-N", chain)
        *others, last = self.rules
        before = self._timed(others)
        at_last = self._timed([last])
        return {APPEND.name: before + at_last, APPEND_LAST.name: at_last}

    def _timed(self, rules: Sequence[Sequence[str]]) -> float:
        """What it takes to add ``rules``, in the clock's units."""
        clock = self.lab.clock
        return clock.units(clock.timed(lambda: self._append(rules))[0])

    def _append(self, rules: Sequence[Sequence[str]]) -> None:
        for rule in rules:
            self._run("-A", _CHAIN, *rule)

    def _run(self, *arguments: str) -> str:
        return self.node.run([self.front_end, "-w", "-t", "nat", *arguments]).stdout

    def proof(self) -> Proof:
        """The kernel lists as many rules as were added."""
        listed = self._run("-S", _CHAIN).count(f"-A {_CHAIN} ")
        return Proof((equal(f"rules listed in {_CHAIN}", len(self.rules), listed),))


@contextlib.contextmanager
def open_append(params: Point, lab: Lab) -> Iterator[AppendSubject]:
    """An empty node."""
    rules = [
        shlex.split(
            f'-m comment --comment "{service.port_name(port)} cluster IP" '
            f"-m {port.protocol} -p {port.protocol} -d {service.cluster_ip} --dport {port.port} "
            f"-j {_TARGET}"
        )
        for service in services_of(params)
        for port in service.ports
    ]
    with lab.network_namespace("node") as node:
        yield AppendSubject(node, FRONT_ENDS[params.text("mode")], rules, lab)
