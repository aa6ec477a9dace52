"""Leases that end by themselves, and a watcher that sees their keys go."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from cnbench.control_plane.api.exchange import KeyWatcher, numbered, open_key_watcher
from cnbench.control_plane.api.figures import total
from cnbench.control_plane.api.key_value import KeyValue
from cnbench.control_plane.servers.etcd import Etcd
from cnbench.core.proof import Proof, equal
from cnbench.experiments.etcd.keys import LEASED_END, LEASED_FIRST, kept
from cnbench.lab.host import Lab
from cnbench.lab.waiting import wait_until

_LEASES, _BYTES = 10, 16
# The least that etcd takes: one and a half elections of 1 s (lease/lessor.go: minLeaseTTL).
_SECONDS = 2
_PATIENCE = 60.0


@dataclass
class Leasing:
    """Leases of one key each.

    Attributes:
        granted: how many there were.
        gone: how many of their keys the watcher saw go.
        early: how many of these before their time.
        expired: how many leases etcd counts to have ended.
    """

    lab: Lab
    etcd: Etcd
    store: str
    granted: int = 0
    gone: int = 0
    early: int = 0
    expired: float = 0

    def sample(self) -> Mapping[str, float]:
        """Let some leases end: the median of how late that is told."""
        with (
            self.etcd.client() as client,
            open_key_watcher(self.etcd.connection, LEASED_FIRST, LEASED_END) as watcher,
        ):
            calls = KeyValue(client)
            expired = _expired(calls)
            with self.lab.timed.part():
                asked, ends = self._grant(calls)
                wait_until(
                    lambda: _were_put_and_went(watcher), "leases did not end", within=_PATIENCE
                )
            went = {one.name: one.arrived for one in watcher.take() if one.sequence == -1}
            self.expired += _expired(calls) - expired
        self.granted += _LEASES
        self.gone += len(went)
        self.early += sum(went[key] < at + _SECONDS * 10**9 for key, at in asked.items())
        lateness = median(went[key] - at for key, at in ends.items())
        return {
            "lateness": self.lab.clock.units(lateness),
            "memory": self.etcd.daemon.memory(),
        }

    def _grant(self, calls: KeyValue) -> tuple[dict[str, int], dict[str, int]]:
        """When each key's lease was asked for, and when it ends, in ns of CLOCK_REALTIME."""
        asked, ends = {}, {}
        for number in range(_LEASES):
            key = f"{LEASED_FIRST}{number:07}"
            asked[key] = time.time_ns()
            lease = calls.grant(_SECONDS)
            ends[key] = time.time_ns() + _SECONDS * 10**9
            calls.put(key, numbered(number, _BYTES), lease)
        return asked, ends

    def proof(self) -> Proof:
        """Every lease ended, none before its time, and etcd counts as many."""
        return Proof(
            (
                kept(self.etcd, self.store),
                equal("keys that went with their leases", self.granted, self.gone),
                equal("leases that ended before their time", 0, self.early),
                equal("leases that etcd counts to have ended", self.granted, round(self.expired)),
            )
        )


def _were_put_and_went(watcher: KeyWatcher) -> bool:
    watcher.receive()
    return len(watcher.told) >= 2 * _LEASES


def _expired(calls: KeyValue) -> float:
    return total(calls.figures(), "etcd_debugging_server_lease_expired_total")
