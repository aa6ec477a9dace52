"""The CPU experiments against the real kernel, with whichever version of cgroups it has."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.experiments import cpu_burst, cpu_quota, cpu_weight
from cnbench.lab.cgroups.cpu import find_controllers
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab, open_lab
from cnbench.probes.requests import open_service

pytestmark = pytest.mark.real


@pytest.fixture
def lab(tmp_path) -> Iterator[Lab]:
    with open_lab("host", "wall", tmp_path / "journal") as lab, lab.fresh_fixtures():
        yield lab


@pytest.fixture
def version():
    found = find_controllers()
    if not found:
        pytest.skip("this machine has no cpu controller; the guest lab has one")
    return next(iter(found))


def measured(module, lab, version, **changes):
    """One sample of the first quick point with ``changes``, and its proof's observations."""
    experiment = module.EXPERIMENT
    point = experiment.grid(False, {"controller": (version,)})[0] | changes
    try:
        experiment.require(point, lab)
        with experiment.subject(point, lab) as subject:
            values = subject.sample()
            proof = subject.proof()
    except UnsupportedError as error:
        pytest.skip(f"{error}; {error.remedy}")
    assert proof.holds, proof.broken
    for name, value in values.items():
        experiment.metric(name).check(value)
    return values, {check.claim: check.observed for check in proof.checks}


@pytest.mark.parametrize("load", ["spin", "syscall"])
def test_a_busy_group_is_throttled(lab, version, load):
    values, _ = measured(cpu_quota, lab, version, load=load, quota=0.1, periods=5)
    assert values["throttled"] > 0


def test_a_stall_that_outlasts_the_sample_counts(lab, version):
    values, _ = measured(cpu_quota, lab, version, load="syscall", quota=0.01, periods=2)
    assert values["stall"] > 0


@pytest.mark.parametrize("start", ["edge", "fresh"])
def test_every_sample_has_what_it_can_know(lab, version, start):
    values, _ = measured(cpu_quota, lab, version, start=start, quota=0.1, periods=5)
    assert set(values) - {"overshoot"} == {"error", "throttled", "stall"}
    assert ("overshoot" in values) == (start == "edge")


@pytest.mark.parametrize("nested", ["looser", "tighter"])
def test_a_nested_group_is_below_its_parent_which_has_its_own_limit(lab, version, nested):
    _, seen = measured(cpu_quota, lab, version, nested=nested, quota=0.1, periods=5)
    assert seen["the parent's limit read back"] == {
        "looser": "(20000, 100000)", "tighter": "(5000, 100000)"
    }[nested]  # fmt: skip


def test_the_kernel_has_the_burst_that_was_asked_for(lab, version):
    _, seen = measured(cpu_quota, lab, version, burst=1.0, quota=0.1, periods=5)
    assert seen["burst read back (µs)"] == "10000"


@pytest.mark.parametrize("burst", [0.0, 0.5])
def test_a_service_uses_the_cpu_time_that_its_requests_name(lab, version, burst):
    values, _ = measured(cpu_burst, lab, version, burst=burst, cycles=1, period=0.05)
    assert values["response"] > values["stall"] > 0


def test_two_groups_divide_one_cpu(lab, version):
    values, seen = measured(cpu_weight, lab, version, ratio=10, time=0.2)
    assert seen["weights read back, 1 being the default"] == "[10.0, 1.0]"
    assert values["error"] > -1


def test_an_idle_group_has_next_to_nothing(lab, version):
    values, seen = measured(cpu_weight, lab, version, ratio=1, time=0.2, light="idle")
    assert seen["weights read back, 1 being the default"] == f"[1.0, {3 / 1024}]"
    assert values["error"] > -1


def test_a_quota_below_the_burst_is_refused_with_what_to_do(lab, version):
    with lab.cpu_group(version) as group:
        group.limit(0.5, 0.1, burst=1.0)
        with pytest.raises(CnbenchError, match="refuses a quota of 20000") as refused:
            group.limit(0.2, 0.1)
        assert "burst of 50000" in refused.value.remedy
        assert group.read_limit() == (50_000, 100_000)


def test_requests_are_answered_in_order_with_a_time_each(lab, version):
    with lab.cpu_group(version) as group, open_service(group, Clock("wall")) as service:
        took = service.respond([1_000_000, 0, 2_000_000], spacing=5_000_000)
        assert len(took) == 3
        assert took[0] >= 1_000_000
        assert took[2] >= 2_000_000
        assert group.members() == [service.pid]


def test_a_service_that_ended_is_an_error(lab, version):
    with lab.cpu_group(version) as group, open_service(group, Clock("wall")) as service:
        os.kill(service.pid, signal.SIGKILL)
        with pytest.raises(CnbenchError, match="has ended"):
            service.respond([0], 0)


def test_nothing_is_left_of_nested_groups(tmp_path, version):
    with open_lab("host", "wall", tmp_path / "journal") as lab:
        with lab.cpu_group(version) as parent, lab.cpu_group(version, above=parent) as child:
            folders = [*parent.controller.folders(), *child.controller.folders()]
            assert all(folder.is_dir() for folder in folders)
        assert not any(folder.exists() for folder in folders)


def test_threads_that_others_keep_off_the_cpu_are_said_to_lack_one(lab, version):
    experiment = cpu_quota.EXPERIMENT
    given = {"controller": (version,), "quota": (1.5,), "threads": (2,), "periods": (3,)}
    point = experiment.grid(False, given)[0]
    with experiment.subject(point, lab) as subject:
        for pid in subject.spinners.pids:
            os.sched_setaffinity(pid, {min(os.sched_getaffinity(0))})
        subject.sample()
        (broken,) = subject.proof().broken
    assert broken.observed.startswith("0 periods: the machine was busy with other things")
    assert "waited for a CPU for" in broken.observed
