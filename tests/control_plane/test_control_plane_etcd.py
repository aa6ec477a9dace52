"""etcd against a real one, and its proof against what is not so."""

import dataclasses

import pytest

from cnbench.control_plane.api.exchange import KeyWatcher, numbered, sequence_of
from cnbench.control_plane.api.key_value import KeyValue
from cnbench.control_plane.binaries import KUBERNETES
from cnbench.control_plane.servers.etcd import MEMORY
from cnbench.core.errors import CnbenchError
from cnbench.experiments.etcd import EXPERIMENT
from cnbench.experiments.etcd.grid import nonsense

real = pytest.mark.real


def point(**given):
    wanted = {"server": KUBERNETES, "store": MEMORY, "keys": 20, "size": 100} | given
    return EXPERIMENT.grid(False, {name: (value,) for name, value in wanted.items()})[0]


@pytest.fixture
def opened(built, shared_lab):
    """How to open a subject of few keys; those of one store share an etcd."""

    def open_one(call, **given):
        built(KUBERNETES)
        return EXPERIMENT.subject(point(call=call, **given), shared_lab)

    return open_one


def broken(subject):
    return [check.claim for check in subject.proof().broken]


@real
@pytest.mark.parametrize("store", ["memory", "disk", "unsynced"])
@pytest.mark.parametrize("call", ["put", "get", "range", "transaction"])
def test_a_call_is_what_etcd_counts(opened, call, store):
    with opened(call, store=store) as subject:
        values = subject.sample()
        if not (store == "disk" and subject.etcd.in_memory()):  # a machine without a disk
            assert subject.proof().holds, subject.proof().broken
    assert 0 < values["handling"] < values["latency"] * 20
    assert ("fsync" in values) == (call in ("put", "transaction"))
    for metric, value in values.items():
        EXPERIMENT.metric(metric).check(value)


@real
@pytest.mark.parametrize("watchers", [1, 3])
def test_every_watcher_is_told_of_every_put(opened, watchers):
    with opened("watch", watchers=watchers) as subject:
        values = [subject.sample() for _ in range(2)][-1]
        assert subject.proof().holds, subject.proof().broken
        assert subject.events == subject.puts * watchers
    assert values["slowest"] >= values["delivery"]


@real
def test_leases_end_and_none_before_its_time(opened):
    with opened("lease") as subject:
        subject.sample()
        assert subject.proof().holds, subject.proof().broken
        subject.early, subject.gone = 1, subject.gone - 1
        assert len(broken(subject)) == 2


@real
def test_a_store_elsewhere_is_no_proof(opened):
    with opened("put") as subject:
        subject.sample()
        subject.store = "disk"
        assert broken(subject) == ["the state is in memory"]


@real
def test_a_log_that_is_synced_is_told_from_one_that_is_not(opened):
    with opened("put") as subject:
        subject.sample()
        subject.store = "unsynced"
        assert "fsyncs of the log, as etcd counts" in broken(subject)
    with opened("put", store="unsynced") as subject:
        subject.sample()
        subject.store = "memory"
        assert "the log has an fsync for each write" in broken(subject)


@real
def test_a_put_that_was_not_made_is_no_proof(opened, monkeypatch):
    usual = KeyValue.put
    with opened("put") as subject:
        monkeypatch.setattr(
            KeyValue, "put", lambda self, key, value: usual(self, f"{key}-elsewhere", value)
        )
        subject.sample()
        assert broken(subject) == ["keys without what was written last"]
        monkeypatch.setattr(KeyValue, "put", lambda self, key, value: self.range(key))
        subject.sample()
        assert {"calls of Put that etcd counts", "changes of the store's revision"} < set(
            broken(subject)
        )


@real
def test_a_transaction_that_does_not_look_is_no_proof(opened, monkeypatch):
    with opened("transaction") as subject:
        usual = KeyValue.update

        def at_whatever_version(self, key, value, version):
            (about,) = self.range(key).said()["kvs"]
            return usual(self, key, value, int(about["mod_revision"]))

        monkeypatch.setattr(KeyValue, "update", at_whatever_version)
        subject.sample()
        assert broken(subject) == ["updates of an older one are made"]


@real
def test_a_range_of_fewer_keys_is_no_proof(opened):
    with opened("range") as subject:
        subject.keys = 19
        subject.sample()
        assert broken(subject) == ["keys in an answer, bytes of each"]


@real
def test_an_event_that_was_lost_is_no_proof(opened, monkeypatch):
    usual = KeyWatcher.take
    with opened("watch", watchers=1) as subject:
        monkeypatch.setattr(KeyWatcher, "take", lambda watcher: usual(watcher)[1:])
        subject.sample()
        assert "1 lost" in subject.proof().broken[0].observed


@real
def test_what_etcd_refuses_is_said(opened):
    with opened("put") as subject, pytest.raises(CnbenchError, match="answers 400 to POST"):
        subject.calls.put("", "value")


def test_a_watch_of_nothing_and_a_call_with_watchers_make_no_sense():
    assert nonsense(point(call="watch", watchers=1) | {"watchers": 0})
    assert nonsense(point(call="put") | {"watchers": 1})
    assert nonsense(point(call="lease") | {"watchers": 2})
    assert nonsense(point(call="put") | {"keys": 1_000_000, "size": 1_000_000})
    assert not nonsense(point(call="watch", watchers=100))


@pytest.mark.parametrize("size", [16, 1024])
def test_a_value_has_its_size_and_says_which_it_is(size):
    assert len(numbered(123_456, size)) == size
    assert sequence_of(numbered(123_456, size)) == 123_456


def test_a_watcher_reads_events_however_they_are_cut():
    # base64 of "a", and of "7:xx"
    line = (
        b'{"result":{"header":{},"events":[{"kv":{"key":"YQ==","mod_revision":"5","value":"Nzp4eA=="}},'
        b'{"type":"DELETE","kv":{"key":"YQ==","mod_revision":"6"}}]}}\n'
    )
    reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(line), line)

    @dataclasses.dataclass
    class Pieces:
        left: list

        def receive(self):
            yield self.left.pop(0), 1

    watcher = KeyWatcher(Pieces([reply[:40], reply[40:100], reply[100:]]))
    for _ in range(3):
        watcher.receive()
    assert [one.what for one in watcher.take()] == [(5, "a", 7), (6, "a", -1)]
    watcher = KeyWatcher(Pieces([reply.replace(b'"result"', b'"error" ')]))
    with pytest.raises(CnbenchError, match="etcd ended a watch"):
        watcher.receive()
