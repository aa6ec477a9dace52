"""Every cgroup experiment against the real kernel, in whichever version it has."""

import mmap
from pathlib import Path

import pytest

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.experiments.cgroup import freezer
from cnbench.experiments.cgroup.freezer import FreezerSubject
from cnbench.experiments.cgroup.memory_high import delay, expected_delay
from cnbench.experiments.registry import all_experiments

pytestmark = pytest.mark.real

CGROUP = {name: one for name, one in all_experiments().items() if name.startswith("cgroup-")}
CASES = [(name, version) for name in CGROUP for version in ("v1", "v2")]


def opened(name, version, lab, **changes):
    """The subject of the first quick point with ``changes``."""
    experiment = CGROUP[name]
    point = experiment.grid(False, {"controller": (version,)})[0] | changes
    try:
        experiment.require(point, lab)
    except UnsupportedError as error:
        pytest.skip(f"{error}; {error.remedy}")
    return experiment.subject(point, lab)


@pytest.mark.parametrize(("name", "version"), CASES)
def test_a_sample_is_proven_and_has_the_metrics(lab, name, version):
    with opened(name, version, lab) as subject:
        values = subject.sample()
        assert subject.sample().keys() == values.keys()
        assert subject.proof().holds, subject.proof().broken
    for metric, value in values.items():
        CGROUP[name].metric(metric).check(value)


@pytest.mark.parametrize(("name", "version"), CASES)
def test_without_a_sample_there_is_no_proof(lab, name, version):
    with opened(name, version, lab) as subject:
        assert not subject.proof().holds


def no_limit(subject):
    name = {"v1": "memory.limit_in_bytes", "v2": "memory.max"}[subject.group.version]
    subject.group.write(name, 2 * subject.limit)


def let_everything_in(subject):
    if subject.group.version == "v1":
        subject.group.write("devices.allow", "a")
    else:
        subject.inside.do("use_cpu", 0)
        (subject.group.folder.parent / "cgroup.procs").write_text(str(subject.inside.pid))


def leave(subject):
    """The process goes to the group above, which has neither limit nor mark."""
    process = getattr(subject, "tenant", None) or subject.inside
    group = getattr(subject, "members", None) or getattr(subject, "group", None)
    folder = (group or subject.marked.group).folder.parent
    while True:
        folder = folder.parent
        if (folder / "cgroup.procs").exists() and "cnbench-" not in folder.name:
            break
    (folder / "cgroup.procs").write_text(str(process.pid))


def without_scheduler(subject):
    Path("/sys/block", subject.disk.path.name, "queue/scheduler").write_text("none")


BREAKING = {
    "cgroup-memory": no_limit,
    "cgroup-memory-high": lambda subject: subject.group.write("memory.high", "max"),
    "cgroup-pids": lambda subject: subject.group.write("pids.max", 500),
    "cgroup-devices": let_everything_in,
    "cgroup-cpuset": lambda subject: subject.second.write("cpuset.cpus", subject.cpus[0]),
    "cgroup-accounting": leave,
    "cgroup-perf-event": leave,
    "cgroup-hugetlb": leave,
    "cgroup-net-cls": leave,
    "cgroup-net-prio": leave,
    "cgroup-io": leave,
    "cgroup-io-weight": without_scheduler,
    "cgroup-scale": lambda subject: (subject.top.folder / "one-more").mkdir(),
}


@pytest.mark.parametrize(("name", "version"), [case for case in CASES if case[0] in BREAKING])
def test_the_proof_fails_where_the_path_was_another(lab, name, version):
    with opened(name, version, lab) as subject:
        BREAKING[name](subject)
        try:
            subject.sample()
        except Exception:
            # What goes so wrong that nothing can be sampled has no proof either.
            return
        assert not subject.proof().holds


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_members_that_were_not_frozen_break_the_proof(lab, version, monkeypatch):
    with opened("cgroup-freezer", version, lab) as subject:
        monkeypatch.setattr(FreezerSubject, "_set", lambda self, frozen: None)
        subject.sample()
        broken = [check.claim for check in subject.proof().broken]
    assert "times that nobody counted while frozen" in broken


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_group_under_a_quota_is_frozen_when_it_is_throttled(lab, version, monkeypatch):
    monkeypatch.setattr(freezer, "_PATIENCE", 3.0)
    with opened("cgroup-freezer", version, lab, tasks=2, quota=0.05) as subject:
        assert subject.sample()["wait"] > 0
        assert subject.throttled == freezer._TURNS_UNDER_QUOTA
        assert subject.proof().holds, subject.proof().broken
        subject.quota.limit(20.0, 0.1)
        with pytest.raises(CnbenchError, match="not throttled"):
            subject.sample()


def test_the_delay_above_memory_high_is_the_kernels():
    # A fifth above is 2.56 s by the formula, of which two are the most; a hundredth is 6.4 ms.
    mib = 2**20
    assert [delay(30 * mib, above * mib) for above in (6, 0.3, 3)] == [
        2.0,
        0.0,
        pytest.approx(0.64),
    ]
    # 6 MiB above 30 MiB in batches of 256 KiB: k squared times 64 / 120 squared, from 10 ms to 2 s.
    assert expected_delay(30 * mib, 6 * mib) == pytest.approx(20.7, abs=0.05)


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("tasks", ["processes", "threads"])
def test_the_limit_of_tasks_is_exact(lab, version, tasks):
    with opened("cgroup-pids", version, lab, tasks=tasks, limit=9) as subject:
        assert [subject.sample()["error"] for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("rules", [1, 50])
def test_a_device_is_denied_whatever_the_number_of_rules(lab, version, rules):
    with opened("cgroup-devices", version, lab, rules=rules, opens=20) as subject:
        subject.sample()
        assert subject.denied == subject.allowed == 20


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_frozen_group_stands_still_at_any_depth(lab, version):
    with opened("cgroup-freezer", version, lab, tasks=3, depth=5) as subject:
        subject.sample()
        assert subject.stood_still == freezer._LOOKS
        assert subject.died_frozen == (freezer._LOOKS if version == "v2" else 0)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_limit_is_not_passed_by_more_than_a_batch(lab, version):
    with opened("cgroup-memory", version, lab) as subject:
        values = [subject.sample() for _ in range(3)]
    # MEMCG_CHARGE_BATCH of linux/memcontrol.h, in pages.
    batch = 64 * mmap.PAGESIZE / subject.limit
    assert all(-batch <= one["error"] <= 0 for one in values)
    assert all(0.8 < one["usable"] < 1 for one in values)
