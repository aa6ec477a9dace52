"""Watching a collection while it is written to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from cnbench.control_plane.api.ledger import Account, Entry, account, delays
from cnbench.control_plane.api.watcher import Watcher, open_watcher
from cnbench.control_plane.stock import Stock
from cnbench.core.proof import Check, Proof, equal, true
from cnbench.lab.host import Lab

# A sample takes half a second, and has writes enough for a median.
_SECONDS, _FEWEST, _MOST = 0.5, 5, 200


@dataclass
class Watching:
    """Watchers that are told of every write.

    Attributes:
        rate: writes a second.
        told: how what watchers were told differs from what was written, all together.
        writes: how many there were.
    """

    lab: Lab
    stock: Stock
    watchers: Sequence[Watcher]
    rate: float
    told: Account = field(default_factory=Account)
    writes: int = 0
    events: int = 0

    def sample(self) -> Mapping[str, float]:
        """Write for half a second, and wait until all were told."""
        units = self.lab.clock.units
        count = min(_MOST, max(_FEWEST, round(self.rate * _SECONDS)))
        with (
            self.stock.writes(self.rate) as traffic,
            traffic.following(self.watchers),
            self.stock.accounted(count) as used,
            self.lab.timed.part(),
        ):
            written = traffic.write(count, self.rate)
        delayed = delays(written, self._told_of(written))
        answered = sorted(entry.arrived for entry in written)
        values = {
            "delivery": units(median(one for of_write in delayed for one in of_write)),
            "slowest": units(median(max(of_write) for of_write in delayed)),
            "interval": units((answered[-1] - answered[0]) / (count - 1)),
        }
        return values | in_units(used, self.lab)

    def _told_of(self, written: Sequence[Entry]) -> list[list[Entry]]:
        """What each watcher was told, entered into the account."""
        # Between its samples others of its group wrote.
        told = [
            [event for event in watcher.take() if event.version >= written[0].version]
            for watcher in self.watchers
        ]
        for events in told:
            self.told += account(written, events)
            self.events += len(events)
        self.writes += len(written)
        return told

    def proof(self) -> Proof:
        """Every watcher was told of every write, once, in the order of their versions."""
        return Proof(
            (
                agrees(self.told),
                equal("events", self.writes * len(self.watchers), self.events),
                true("there were writes", self.writes, self.writes > 0),
            )
        )


def in_units(used: Mapping[str, int], lab: Lab) -> dict[str, float]:
    """What a server took, where that is known, as metrics."""
    return {name: lab.clock.units(it) if name == "cpu" else it for name, it in used.items()}


def agrees(told: Account) -> Check:
    """That what was told is what was written."""
    return equal("what was written, and what was told of it", Account(), told)


@contextlib.contextmanager
def open_watching(lab: Lab, stock: Stock, watchers: int, rate: float) -> Iterator[Watching]:
    """So many watchers of ``stock``, and the writes that they are told of."""
    version = stock.version()
    with contextlib.ExitStack() as opened:
        following = [
            opened.enter_context(open_watcher(stock.api, stock.kind, version))
            for _ in range(watchers)
        ]
        yield Watching(lab, stock, following, rate)
