"""Calls, one after another, and what etcd counts of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from cnbench.control_plane.api.client import Reply
from cnbench.control_plane.api.exchange import numbered, sequence_of
from cnbench.control_plane.api.figures import total
from cnbench.control_plane.api.key_value import KeyValue, decoded
from cnbench.control_plane.servers.etcd import UNSYNCED, Etcd
from cnbench.core.proof import Check, Proof, equal, true
from cnbench.experiments.etcd.grid import GET, PAGE, PUT, RANGE, TRANSACTION, WRITES
from cnbench.experiments.etcd.keys import END, kept, key_of
from cnbench.lab.host import Lab

_CALLS = 20
_METHODS = {PUT: "Put", GET: "Range", RANGE: "Range", TRANSACTION: "Txn"}


@dataclass(frozen=True)
class Counted:
    """What etcd has counted: calls of a method, their seconds, fsyncs of its log, theirs."""

    calls: float
    handling: float
    syncs: float
    syncing: float

    def plus(self, other: Counted, times: int = 1) -> Counted:
        """This and ``times`` the other."""
        return Counted(
            self.calls + times * other.calls,
            self.handling + times * other.handling,
            self.syncs + times * other.syncs,
            self.syncing + times * other.syncing,
        )


@dataclass
class Calling:
    """One call, made some times a sample.

    Attributes:
        made: how many there were.
        counted: what etcd has counted meanwhile.
        revisions: how many changes etcd's revision has grown by meanwhile.
        told: how many keys, and bytes of each value, the answers to ranges had.
        updated: whether updates were made, of the newest version of a key.
        stale: whether they were of an older one.
        differing: keys that did not have what was written last.
    """

    lab: Lab
    etcd: Etcd
    calls: KeyValue
    call: str
    store: str
    size: int
    keys: int
    numbers: Iterator[int]
    made: int = 0
    counted: Counted = field(default_factory=lambda: Counted(0, 0, 0, 0))
    revisions: int = 0
    told: set[tuple[int, int]] = field(default_factory=set)
    updated: set[bool] = field(default_factory=set)
    stale: set[bool] = field(default_factory=set)
    differing: int = 0

    def sample(self) -> Mapping[str, float]:
        """Make the calls."""
        daemon, units = self.etcd.daemon, self.lab.clock.units
        numbers = [next(self.numbers) for _ in range(_CALLS)]
        versions = [self._version(number) for number in numbers]
        revision, before = self.etcd.revision(), self._count()
        cpu = daemon.cpu_time()
        with self.lab.timed.part():
            replies = list(map(self._make, numbers, versions))
        cpu = daemon.cpu_time() - cpu
        counted = self._count().plus(before, -1)
        self.revisions += self.etcd.revision() - revision
        self.made += _CALLS
        self.counted = self.counted.plus(counted)
        self._note(numbers, replies, versions)
        values = {
            "latency": units(median(reply.took for reply in replies)),
            "handling": units(counted.handling / _CALLS * 1e9),
            "cpu": units(cpu / _CALLS),
            "memory": daemon.memory(),
        }
        if self.call in WRITES:
            values["fsync"] = units(counted.syncing / _CALLS * 1e9)
        return values

    def _make(self, number: int, version: int) -> Reply:
        key, value = key_of(number % self.keys), numbered(number, self.size)
        if self.call == PUT:
            return self.calls.put(key, value)
        if self.call == TRANSACTION:
            return self.calls.update(key, value, version)
        return self.calls.range(key) if self.call == GET else self.calls.range(
            key_of(0), END, PAGE
        )  # fmt: skip

    def _version(self, number: int) -> int:
        """What an update takes for the newest version of its key."""
        if self.call != TRANSACTION:
            return 0
        (about,) = self.calls.range(key_of(number % self.keys)).said()["kvs"]
        return int(about["mod_revision"])

    def _count(self) -> Counted:
        text, method = self.calls.figures(), _METHODS[self.call]
        return Counted(
            *(
                total(text, name, lambda labels: labels.get("grpc_method", method) == method)
                for name in (
                    "grpc_server_handled_total",
                    "grpc_server_handling_seconds_sum",
                    "etcd_disk_wal_fsync_duration_seconds_count",
                    "etcd_disk_wal_fsync_duration_seconds_sum",
                )
            )
        )

    def _note(
        self, numbers: Sequence[int], replies: Sequence[Reply], versions: Sequence[int]
    ) -> None:
        """Keep what the proof is of."""
        if self.call not in WRITES:
            told = [reply.said()["kvs"] for reply in replies]
            self.told |= {(len(kvs), len(decoded(kv["value"]))) for kvs in told for kv in kvs}
            return
        newest = {number % self.keys: number for number in numbers}
        for place, number in newest.items():
            (about,) = self.calls.range(key_of(place)).said()["kvs"]
            self.differing += sequence_of(decoded(about["value"])) != number
        if self.call == TRANSACTION:
            self.updated |= {bool(reply.said().get("succeeded")) for reply in replies}
            self.stale.add(bool(self._make(numbers[0], versions[0]).said().get("succeeded")))

    def proof(self) -> Proof:
        """Etcd counted our calls, its revision our writes, and its log the fsyncs of them."""
        writes = self.made if self.call in WRITES else 0
        checks = [
            kept(self.etcd, self.store),
            equal(f"calls of {_METHODS[self.call]} that etcd counts", self.made, self._calls()),
            equal("changes of the store's revision", writes, self.revisions),
        ]
        if writes:
            checks += [
                self._synced(writes),
                equal("keys without what was written last", 0, self.differing),
            ]
        else:
            keys = 1 if self.call == GET else min(PAGE, self.keys)
            checks.append(equal("keys in an answer, bytes of each", {(keys, self.size)}, self.told))
        if self.call == TRANSACTION:
            checks += [
                equal("updates of the newest version are made", {True}, self.updated),
                equal("updates of an older one are made", {False}, self.stale),
            ]
        return Proof(tuple(checks))

    def _calls(self) -> int:
        return round(self.counted.calls)

    def _synced(self, writes: int) -> Check:
        syncs = round(self.counted.syncs)
        if self.store == UNSYNCED:
            return equal("fsyncs of the log, as etcd counts", 0, syncs)
        return true("the log has an fsync for each write", f"{syncs} of {writes}", syncs >= writes)
