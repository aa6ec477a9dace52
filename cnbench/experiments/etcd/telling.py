"""Watchers of etcd that are told of puts, one put at a time."""

from __future__ import annotations

import contextlib
import select
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from cnbench.control_plane.api.exchange import Exchange, KeyWatcher, numbered, open_exchange
from cnbench.control_plane.api.key_value import putting
from cnbench.control_plane.api.ledger import Account, Entry, account, delays
from cnbench.control_plane.servers.etcd import Etcd
from cnbench.core.errors import CnbenchError
from cnbench.core.proof import Proof, equal
from cnbench.experiments.etcd.keys import kept, key_of
from cnbench.lab.host import Lab

_PUTS = 10
_PATIENCE_MS = 60_000


@dataclass
class Telling:
    """Watchers of all keys, and puts that they are told of.

    Attributes:
        told: how what watchers were told differs from what was put, all together.
        puts: how many there were.
        events: how many all watchers were told of.
    """

    lab: Lab
    etcd: Etcd
    store: str
    watchers: Sequence[KeyWatcher]
    size: int
    numbers: Iterator[int]
    told: Account = field(default_factory=Account)
    puts: int = 0
    events: int = 0

    def sample(self) -> Mapping[str, float]:
        """Put some, each once all watchers were told of the one before."""
        daemon, units = self.etcd.daemon, self.lab.clock.units
        for watcher in self.watchers:  # between its samples others of its group put
            watcher.receive()
            watcher.take()
        with open_exchange(self.etcd.connection) as exchange, self._polled() as poll:
            cpu = daemon.cpu_time()
            with self.lab.timed.part():
                put = [self._put(exchange, poll) for _ in range(_PUTS)]
            cpu = daemon.cpu_time() - cpu
        delayed = delays(put, self._told_of(put))
        return {
            "delivery": units(median(one for of_put in delayed for one in of_put)),
            "slowest": units(median(max(of_put) for of_put in delayed)),
            "cpu": units(cpu / _PUTS),
            "memory": daemon.memory(),
        }

    @contextlib.contextmanager
    def _polled(self) -> Iterator[select.epoll]:
        with select.epoll() as poll:
            for watcher in self.watchers:
                poll.register(watcher.stream.fileno(), select.EPOLLIN)
            yield poll

    def _put(self, exchange: Exchange, poll: select.epoll) -> Entry:
        """Put once, and wait until all were told of it."""
        number = next(self.numbers)
        key = key_of(0)
        said, answered = exchange.call("kv/put", putting(key, numbered(number, self.size)))
        version = int(said["header"]["revision"])
        waiting = {watcher.stream.fileno(): watcher for watcher in self.watchers}
        while waiting:
            ready = poll.poll(_PATIENCE_MS / 1000)
            if not ready:
                raise CnbenchError(f"{len(waiting)} watchers were not told of a put")
            for descriptor, _ in ready:
                if watcher := waiting.get(descriptor):
                    watcher.receive()
                    if watcher.version >= version:
                        del waiting[descriptor]
        return Entry(version, key, number, answered)

    def _told_of(self, put: Sequence[Entry]) -> list[list[Entry]]:
        """What each watcher was told, entered into the account."""
        told = [watcher.take() for watcher in self.watchers]
        for events in told:
            self.told += account(put, events)
            self.events += len(events)
        self.puts += len(put)
        return told

    def proof(self) -> Proof:
        """Every watcher was told of every put, once, in the order of their revisions."""
        return Proof(
            (
                kept(self.etcd, self.store),
                equal("what was put, and what was told of it", Account(), self.told),
                equal("events", self.puts * len(self.watchers), self.events),
            )
        )
