"""Going on with a watch after a cut, as an informer's reflector does.

From the version that was seen last, as long as the server knows it. Once it does not (410 Gone), by
listing anew and watching from there. For that the API server is one without a watch cache, since
that keeps what etcd has forgotten; a compaction then is felt as soon as it is made.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from cnbench.control_plane.api.ledger import Account, account
from cnbench.control_plane.api.traffic import Traffic
from cnbench.control_plane.api.watcher import GoneError, Watcher, open_watcher
from cnbench.control_plane.stock import Contents, Stock, put
from cnbench.core.proof import Proof, equal
from cnbench.experiments.list_watch.watching import agrees
from cnbench.lab.host import Lab
from cnbench.lab.waiting import wait_until

_BEFORE, _MEANWHILE, _AFTER = 10, 20, 5
_PATIENCE = 60.0


@dataclass(frozen=True)
class Caught:
    """A watcher that has caught up.

    Attributes:
        listed: the version of the list that it goes on from; 0 where it goes on from its own.
        ended: when it had caught up, in ns of CLOCK_REALTIME.
    """

    watcher: Watcher
    listed: int
    ended: int


@dataclass
class Resuming:
    """A watcher that is cut in every sample, while changes are made, and goes on.

    Attributes:
        gone: whether the version that it was at is forgotten meanwhile.
        told: how what it was told differs from what was written.
        cuts: how many there were.
        refusals: how often the server did not know the version.
        stale: objects of which it had another state than the server, at the ends of samples.
    """

    lab: Lab
    stock: Stock
    rate: float
    gone: bool
    told: Account = field(default_factory=Account)
    cuts: int = 0
    refusals: int = 0
    stale: int = 0

    def sample(self) -> Mapping[str, float]:
        """Cut a watch amid writes, and take the time until it has caught up."""
        with self.stock.writes(self.rate) as traffic:
            return {"resume": self.lab.clock.units(self._cut(traffic))}

    def _cut(self, traffic: Traffic) -> int:
        store, version = self.stock.listed()
        with self._watch(version) as watcher:
            with traffic.following([watcher]):
                traffic.write(_BEFORE, self.rate, until_told=False)
            told = watcher.take()
        self.cuts += 1
        put(store, told)
        traffic.write(_MEANWHILE, self.rate)
        if self.gone and self.stock.plane:
            self.stock.plane.etcd.compact()
        last = max(entry.version for entry in traffic.written)
        with contextlib.ExitStack() as opened:
            with self.lab.timed.part():
                began = time.time_ns()
                caught = self._go_on(watcher.version, last, store, opened)
            with traffic.following([caught.watcher]):
                traffic.write(_AFTER, self.rate)
            later = caught.watcher.take()
        put(store, later)
        written = [
            entry
            for entry in traffic.written
            if entry.version <= watcher.version or entry.version > caught.listed
        ]
        self.told += account(written, told + later)
        self.stale += len(store.items() ^ self.stock.listed()[0].items())
        return caught.ended - began

    def _go_on(
        self, version: int, last: int, store: Contents, opened: contextlib.ExitStack
    ) -> Caught:
        """Watch from ``version``, or list anew where that is gone, until ``last`` is known."""
        try:
            watcher = opened.enter_context(self._watch(version))
            wait_until(
                lambda: _has_come_to(watcher, last), "a watch did not go on", within=_PATIENCE,
                every=0.0005,
            )  # fmt: skip
            return Caught(watcher, 0, watcher.told[-1].arrived)
        except GoneError:
            self.refusals += 1
        contents, listed = self.stock.listed()
        store.clear()
        store.update(contents)
        watcher = opened.enter_context(self._watch(listed))
        return Caught(watcher, listed, time.time_ns())

    def _watch(self, version: int) -> AbstractContextManager[Watcher]:
        return open_watcher(self.stock.api, self.stock.kind, version)

    def proof(self) -> Proof:
        """Nothing was lost or told twice, and the store is the server's after every cut."""
        refusals = self.cuts if self.gone else 0
        return Proof(
            (
                agrees(self.told),
                equal("objects that differ from the server's", 0, self.stale),
                equal(f"refused as gone in {self.cuts} cuts", refusals, self.refusals),
            )
        )


def _has_come_to(watcher: Watcher, version: int) -> bool:
    watcher.receive()
    return watcher.version >= version
