"""The namespaces experiment against the real kernel."""

import contextlib
import dataclasses
import os
import time
from pathlib import Path

import pytest

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.experiments.namespaces import EXPERIMENT
from cnbench.lab import libc
from cnbench.lab.namespaces import teardown
from cnbench.lab.namespaces.children import in_child, in_children
from cnbench.lab.namespaces.company import Company
from cnbench.lab.namespaces.kinds import KINDS, changed, numbers
from cnbench.lab.namespaces.residents import open_resident

pytestmark = pytest.mark.real

QUICK = EXPERIMENT.grid(False, {"call": EXPERIMENT.parameter("call").choices})


def opened(lab, **changes):
    point = EXPERIMENT.grid(False, {"call": ("clone3",), "kind": ("uts",)})[0] | changes
    assert EXPERIMENT.nonsense(point) == ""
    try:
        EXPERIMENT.require(point, lab)
    except UnsupportedError as error:
        pytest.skip(f"{error}; {error.remedy}")
    return EXPERIMENT.subject(point, lab)


@pytest.mark.parametrize("point", QUICK, ids=lambda point: f"{point['kind']}-{point['call']}")
def test_every_kind_is_proven_by_every_call(lab, point):
    before = numbers()
    with opened(lab, **point) as subject:
        values = subject.sample()
        assert subject.sample().keys() == values.keys()
        assert subject.proof().holds, subject.proof().broken
    for metric, value in values.items():
        EXPERIMENT.metric(metric).check(value)
    assert numbers() == before


@pytest.mark.parametrize("call", ["clone3", "unshare", "setns", "pidfd"])
def test_the_proof_fails_where_another_namespace_was_made(lab, call):
    with opened(lab, call=call) as subject:
        subject.sample()
        subject.evidence = dataclasses.replace(subject.evidence, kinds=KINDS[1:2])
        assert not subject.proof().holds


@pytest.mark.parametrize("call", ["clone3", "unshare", "setns"])
def test_without_a_sample_there_is_no_proof(lab, call):
    with opened(lab, call=call) as subject:
        assert not subject.proof().holds


@pytest.mark.parametrize("call", ["clone", "clone3"])
@pytest.mark.parametrize("contents", ["veth", "routes", "nft", "iptables"])
def test_a_network_namespace_goes_with_all_that_is_in_it(lab, call, contents):
    with opened(lab, call=call, kind="net", contents=contents) as subject:
        subject.sample()
        assert subject.proof().holds, subject.proof().broken


@pytest.mark.parametrize("call", ["clone3", "clone", "setns", "pidfd"])
@pytest.mark.parametrize("kind", ["uts", "pid", "user", "mnt", "net", "all"])
@pytest.mark.parametrize(
    "company", [{"processes": 5}, {"threads": 5}], ids=["processes", "threads"]
)
def test_others_live_in_them_and_end_with_the_first(lab, call, kind, company):
    before = set(children())
    with opened(lab, call=call, kind=kind, **company) as subject:
        subject.sample()
        assert subject.proof().holds, subject.proof().broken
        subject.company = Company(processes=4)
        subject.sample()
        assert not subject.proof().holds
    assert set(children()) == before


def children():
    """This process's children, be they dead or alive."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if stat.read_text().rpartition(")")[2].split()[1] == str(os.getpid()):
                yield stat.parent.name


def test_contents_that_are_not_there_break_the_proof(lab, monkeypatch):
    monkeypatch.setattr("cnbench.experiments.namespaces.subject.fill", lambda *_: 0)
    with opened(lab, kind="net", contents="routes") as subject:
        subject.sample()
        assert not subject.proof().holds


@pytest.mark.parametrize("kind", ["mnt", "net"])
def test_the_first_use_is_timed_where_something_is_meant_by_it(lab, kind):
    with opened(lab, call="unshare", kind=kind) as subject:
        assert subject.sample()["first"] > 0


def test_a_first_mount_is_seen_nowhere_else(lab):
    before = Path("/proc/self/mountinfo").read_text()
    with opened(lab, call="unshare", kind="mnt") as subject:
        subject.sample()
        assert Path("/proc/self/mountinfo").read_text() == before


def test_a_new_mount_namespace_has_all_mounts_of_its_parent(lab):
    with opened(lab, call="unshare", kind="mnt", mounts=50) as subject:
        subject.sample()
        assert subject.least_mounts >= 50
        assert subject.proof().holds
        subject.mounts = 10_000
        assert not subject.proof().holds


def test_creators_call_at_the_same_moment(lab):
    with opened(lab, call="unshare", kind="net", parallel=3) as subject:
        assert subject.sample()["create"] > 0
        assert subject.proof().holds


@pytest.mark.parametrize("kind", ["uts", "net", "all"])
def test_others_that_live_are_counted(lab, kind):
    with opened(lab, kind=kind, live=12) as subject:
        assert "memory" in subject.sample()
        assert subject.proof().holds, subject.proof().broken
        subject.living = subject.living[1:]
        assert not subject.proof().holds


def test_a_network_namespace_that_stays_is_told(lab, monkeypatch):
    monkeypatch.setattr(teardown, "_PATIENCE", 0.2)
    with (
        lab.network_namespace("watch") as home,
        teardown.open_watch(home) as watch,
        open_resident([kind for kind in KINDS if kind.name == "net"], "clone3", lab.clock) as one,
    ):
        watch.over(one.pid)
        with pytest.raises(CnbenchError, match="still there"):
            watch.wait()
        monkeypatch.setattr(teardown, "_PATIENCE", 60)
        one.let_go()
        one.wait()
        watch.wait()
        assert (watch.watched, watch.gone) == (1, 1)


def test_a_resident_lives_in_its_namespaces_until_it_is_left(lab):
    with open_resident(KINDS, "clone3", lab.clock) as resident:
        assert changed(numbers(), numbers(resident.pid)) == sorted(kind.name for kind in KINDS)
        assert Path(f"/proc/{resident.pid}").exists()
    assert not Path(f"/proc/{resident.pid}").exists()


def test_a_resident_goes_when_its_maker_is_killed(lab, tmp_path):
    reader, writer = os.pipe()
    maker = os.fork()
    if maker == 0:
        with (
            open_resident((), "clone3", lab.clock) as first,
            open_resident((), "clone3", lab.clock, shares_memory=False) as second,
        ):
            os.write(writer, f"{first.pid} {second.pid}".encode())
            time.sleep(60)
        os._exit(0)
    pids = os.read(reader, 100).split()
    os.kill(maker, 9)
    os.waitpid(maker, 0)
    os.close(reader)
    os.close(writer)
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up and any(alive(int(pid)) for pid in pids):
        time.sleep(0.01)
    assert not any(alive(int(pid)) for pid in pids)


def alive(pid):
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_a_refusal_is_the_machines_limit():
    def refuse():
        raise PermissionError(1, "Operation not permitted", "unshare")

    with pytest.raises(UnsupportedError, match="unshare: Operation not permitted"):
        in_child(refuse)


def test_children_say_what_they_did_and_change_nothing_here():
    before = numbers()

    def task():
        libc.unshare(KINDS[0].flag)
        return os.getpid()

    said = in_children(task, 3)
    assert len(set(said)) == 3
    assert os.getpid() not in said
    assert numbers() == before


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"call": "clone", "kind": "time"}, "no flag"),
        ({"call": "setns", "kind": "none"}, "nothing to enter"),
        ({"call": "clone3", "mounts": 5}, "copied by unshare"),
        ({"call": "clone3", "parallel": 2}, "only unshare"),
        ({"call": "unshare", "threads": 2}, "alone"),
        ({"call": "clone3", "threads": 2, "processes": 2}, "one by one"),
        ({"call": "unshare", "contents": "nft"}, "taken down"),
        ({"call": "unshare", "kind": "mnt", "mounts": 5, "live": 5}, "one by one"),
        ({"kind": "none", "live": 5}, "could live"),
    ],
)
def test_what_makes_no_sense_says_why(changes, why):
    assert why in EXPERIMENT.nonsense(QUICK[0] | {"kind": "uts"} | changes)
