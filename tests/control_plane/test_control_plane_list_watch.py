"""list-watch against real servers, and its proof against what is not so."""

import dataclasses
from pathlib import Path

import pytest

from cnbench.control_plane.api.watcher import Watcher
from cnbench.control_plane.binaries import APIEXTENSIONS, KUBERNETES
from cnbench.control_plane.stock import open_stock
from cnbench.core.errors import CnbenchError, UsageError
from cnbench.experiments.list_watch import EXPERIMENT
from cnbench.experiments.list_watch.grid import is_list, nonsense
from cnbench.experiments.list_watch.listing import Listing

real = pytest.mark.real
SERVERS = (KUBERNETES, APIEXTENSIONS)
SMALL = {"objects": (20,), "size": (100,)}


def point(**given):
    wanted = SMALL | {name: (value,) for name, value in given.items()}
    return EXPERIMENT.grid(False, wanted)[0]


@pytest.fixture
def opened(built, shared_lab):
    """How to open a subject of few objects; those of one server share it."""

    def open_one(**given):
        built(given.get("server", KUBERNETES))
        return EXPERIMENT.subject(point(**({"server": KUBERNETES} | given)), shared_lab)

    return open_one


def broken(subject):
    return [check.claim for check in subject.proof().broken]


@real
@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("way", ["list", "list-cached", "list-exact", "list-pages", "list-stream"])
def test_a_list_has_all_objects(opened, server, way):
    if server == KUBERNETES and way == "list-stream":
        assert nonsense(point(server=APIEXTENSIONS, way=way) | {"server": server})
        return
    with opened(server=server, way=way) as subject:
        values = subject.sample()
        assert subject.proof().holds, subject.proof().broken
        assert values["transferred"] > 20 * 100
        for metric, value in values.items():
            EXPERIMENT.metric(metric).check(value)


@real
def test_protobuf_is_asked_for_and_given(opened):
    with opened(way="list", encoding="protobuf") as subject:
        subject.sample()
        assert subject.proof().holds
        assert subject.last[0].startswith(b"k8s\0")
        subject.encoding = "json"
        assert broken(subject) == ["in protobuf"]


@real
def test_an_object_too_many_is_no_proof(opened):
    with opened(way="list-cached") as subject:
        subject.stock = dataclasses.replace(subject.stock, count=21)
        subject.sample()
        assert broken(subject) == ["objects in each answer"]


@real
def test_a_list_from_etcd_is_told_from_one_of_the_cache(opened):
    with opened(way="list") as subject:
        subject.way = "list-cached"
        subject.sample()
        subject.way = "list"
        assert broken(subject) == ["lists in etcd for each of ours, as the server counts"]


@real
@pytest.mark.parametrize("server", SERVERS)
def test_every_watcher_is_told_of_every_write(opened, server):
    with opened(server=server, way="watch", watchers=3, rate=100) as subject:
        values = subject.sample()
        assert subject.proof().holds, subject.proof().broken
        assert (subject.writes, subject.events) == (50, 150)
        assert values["slowest"] >= values["delivery"]
        assert values["interval"] > 0.005
        # Others of its group write between its samples.
        with subject.stock.writes(100) as traffic:
            traffic.write(3, 100)
        subject.sample()
        assert subject.proof().holds, subject.proof().broken


@real
@pytest.mark.parametrize(
    ("spoil", "said"),
    [(lambda events: events.pop(), "1 lost"), (lambda events: events.append(events[0]), "1 twice")],
    ids=["lost", "twice"],
)
def test_an_event_that_is_lost_or_told_twice_is_no_proof(opened, monkeypatch, spoil, said):
    with opened(way="watch", watchers=1, rate=100) as subject:
        usual = Watcher.take

        def take(watcher):
            events = usual(watcher)
            spoil(events)
            return events

        monkeypatch.setattr(Watcher, "take", take)
        subject.sample()
        check = subject.proof().broken[0]
        assert "what was written" in check.claim
        assert said in check.observed


@real
@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("way", ["watch-resume", "watch-relist"])
def test_a_watch_that_was_cut_goes_on_without_loss(opened, server, way):
    with opened(server=server, way=way) as subject:
        for _ in range(3):
            assert subject.sample()["resume"] > 0
        assert subject.proof().holds, subject.proof().broken
        assert subject.refusals == (3 if way == "watch-relist" else 0)


@real
def test_a_version_that_is_not_gone_is_no_proof_of_a_relist(opened):
    with opened(way="watch-resume") as subject:
        subject.sample()
        subject.gone = True
        assert broken(subject) == ["refused as gone in 1 cuts"]


@real
def test_going_on_from_too_late_a_version_loses_events(opened, monkeypatch):
    with opened(way="watch-resume") as subject:
        usual = subject._go_on

        def later(version, *others):
            return usual(version + 5, *others)

        monkeypatch.setattr(subject, "_go_on", later)
        subject.sample()
        assert "what was written, and what was told of it" in broken(subject)


@real
def test_a_server_that_ended_is_told_with_its_last_words(built, shared_lab):
    built(KUBERNETES)
    with open_stock(shared_lab, KUBERNETES, 20, 100, "memory") as stock:
        subject = Listing(shared_lab, stock, "list", "json", 0)
        stock.plane.enclave.do("kill", stock.plane.api.daemon.pid)
        with pytest.raises(CnbenchError, match=r"nobody listens|does not answer|no TLS|has ended"):
            subject.sample()


@real
def test_nothing_is_left_mounted(built, shared_lab):
    built(KUBERNETES)
    here = Path("/proc/self/mountinfo")
    before = here.read_text()
    with EXPERIMENT.subject(point(server=KUBERNETES, way="list"), shared_lab):
        assert here.read_text() == before


def test_lists_have_neither_watchers_nor_writes():
    for one in EXPERIMENT.grid(True, {}):
        assert is_list(one) == (one["watchers"] == 0) == (one["rate"] == 0)
        assert one["watchers"] * one["rate"] <= 2000


@pytest.mark.parametrize(
    "given",
    [
        {"server": (APIEXTENSIONS,), "encoding": ("protobuf",)},
        {"way": ("list-pages",), "encoding": ("protobuf",)},
        {"way": ("list-stream",), "server": (KUBERNETES,)},
        {"way": ("list",), "watchers": (5,)},
        {"way": ("watch",), "watchers": (0,)},
        {"way": ("watch-resume",), "watchers": (2,)},
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(given):
    with pytest.raises(UsageError):
        EXPERIMENT.grid(False, given)


def test_it_is_measured_only_where_it_is_named():
    from cnbench.experiments.registry import names, unasked

    assert "list-watch" in names()
    assert "list-watch" not in unasked()
    assert "pleg" in unasked()
