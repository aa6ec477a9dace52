"""The data path: what a conversation's first packet costs, and the proof of each sample."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from cnbench.core.errors import CnbenchError
from cnbench.core.metric import Metric
from cnbench.core.parameter import Point
from cnbench.core.proof import Proof, equal
from cnbench.core.ranks import nearest_rank
from cnbench.experiments.service_routing.paths import Way, ways_of
from cnbench.experiments.service_routing.proof import PacketLedger
from cnbench.lab.cpus import pinned
from cnbench.lab.host import Lab
from cnbench.network.conntrack import Conntrack, conntrack
from cnbench.probes.connect import open_connector
from cnbench.probes.datagram import open_asker
from cnbench.probes.first_packet import FirstPackets, times

CONNECT = Metric("connect", "s", "lower", "ratio", "time from a first packet to its answer, median")
CONNECT_P99 = Metric("connect_p99", "s", "lower", "ratio", "the same, 99th percentile")

_OPEN = {"tcp": open_connector, "udp": open_asker}
# A sample in which the counters moved otherwise is taken again, so often.
_ATTEMPTS = 3


@dataclass
class ConnectSubject:
    """First packets on one way."""

    way: Way
    first_packets: FirstPackets
    probes: int
    lab: Lab

    def __post_init__(self) -> None:
        self._ledger = PacketLedger(self.way)
        self._before = conntrack(self.way.path.node)

    def sample(self) -> Mapping[str, float]:
        """``probes`` first packets, of which each took the way.

        That the counters say so is seen here, or by `account` where a look at them is long.

        Raises:
            CnbenchError: none of several batches did.
        """
        targets = list(self.way.leads_to)
        for _ in range(_ATTEMPTS):
            self.way.account.begin()
            with pinned():
                batch = self.first_packets.send(targets, self.probes)
            self.way.forget()
            good = self._ledger.enter(batch)
            if (self.way.account.once_a_block or self._ledger.settle()) and good:
                return self._figures(times(good))
        raise CnbenchError(
            f"{self._ledger.missed} of {self._ledger.begun} first packets missed their way"
        )

    def account(self) -> bool:
        """Whether the counters say what has been sent since the last look at them."""
        return not self.way.account.once_a_block or self._ledger.settle()

    def _figures(self, ticks: list[int]) -> Mapping[str, float]:
        figures = {CONNECT.name: self.lab.clock.units(statistics.median(ticks))}
        if self.lab.clock.name == "wall":
            # Counted in instructions, the slowest are those that a timer tick fell into, every four
            # million: chance, and nothing of the path.
            figures[CONNECT_P99.name] = self.lab.clock.units(nearest_rank(ticks, 0.99))
        return figures

    def proof(self) -> Proof:
        """The rules on the way, and nothing else, counted each first packet."""
        moved = conntrack(self.way.path.node) - self._before
        tracking = equal("conntrack's failed insertions and drops", Conntrack(0, 0), moved)
        return Proof((*self._ledger.checks(), tracking))


@dataclass
class DualSubject:
    """First packets on the same way in both families: the mean of what they cost."""

    families: Mapping[str, ConnectSubject]

    def sample(self) -> Mapping[str, float]:
        """Half of the first packets in each family, of which each took its way."""
        both = [subject.sample() for subject in self.families.values()]
        return {name: statistics.fmean(part[name] for part in both) for name in both[0]}

    def account(self) -> bool:
        """Whether both families' counters say what has been sent."""
        accounts = [subject.account() for subject in self.families.values()]
        return all(accounts)

    def proof(self) -> Proof:
        """All that proves each family's."""
        return Proof(
            tuple(
                replace(check, claim=f"{family}: {check.claim}")
                for family, subject in self.families.items()
                for check in subject.proof().checks
            )
        )


@contextlib.contextmanager
def open_connect(params: Point, lab: Lab) -> Iterator[ConnectSubject | DualSubject]:
    """One way through a cluster that all positions of a mode share, or past it."""
    ways = ways_of(params, lab)
    probes = params.whole("probes") // len(ways)
    subjects = {
        way.half.family.shown: ConnectSubject(
            way, _first_packets(way, params, lab), max(1, probes), lab
        )
        for way in ways
    }
    yield DualSubject(subjects) if len(subjects) > 1 else next(iter(subjects.values()))


def _first_packets(way: Way, params: Point, lab: Lab) -> FirstPackets:
    """What begins conversations on a path in one family; those of all positions share it."""
    path, half, begin = way.path, way.half, _OPEN[params.text("protocol")]
    return lab.fixture(
        ("first packets", path.node.descriptor, half.family),
        lambda: begin(path.client, path.backend, half.ports, half.path.clients, lab.clock),
    )
