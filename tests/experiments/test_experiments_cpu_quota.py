"""cpu-quota against the kernel: its figures by another way, and proofs that fail if they should."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cnbench.core.errors import UnsupportedError
from cnbench.core.parameter import Point
from cnbench.experiments import cpu_quota
from cnbench.lab.cgroups.cpu import Controller, find_controllers
from cnbench.lab.processes import python_script
from cnbench.probes import spin
from cnbench.probes.spinners import open_spinners

PATIENCE = 60.0
NAME, QUOTA, PERIOD = "cpu-quota", 0.2, 0.01


@pytest.fixture
def version():
    found = sorted(find_controllers())
    if not found:
        pytest.skip("there is no cgroup cpu controller here")
    return found[0]


@pytest.fixture
def subject(lab, version):
    chosen = {"controller": version, "quota": QUOTA, "period": PERIOD, "periods": 20}
    (params, *_) = cpu_quota.EXPERIMENT.grid(False, {n: (value,) for n, value in chosen.items()})
    with cpu_quota.EXPERIMENT.subject(params, lab) as opened:
        yield opened


def accounting_folders(group):
    """The group's folder in every mounted hierarchy that could account for it."""
    below = Path(*group.folder.parts[-2:])
    mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    targets = [Path(fields[1]) for fields in mounts if fields[2] in ("cgroup", "cgroup2")]
    return [target / below for target in targets if (target / below).is_dir()]


def read_account(group):
    """CPU seconds and periods, from the kernel's files and by no code of cnbench's."""
    usage = periods = None
    for folder in accounting_folders(group):
        if (folder / "cpuacct.usage").exists():
            usage = int((folder / "cpuacct.usage").read_text()) / 1e9
        if (folder / "cpu.stat").exists():
            stat = dict(line.split() for line in (folder / "cpu.stat").read_text().splitlines())
            periods = int(stat.get("nr_periods", periods or 0))
            if "usage_usec" in stat and usage is None:
                usage = int(stat["usage_usec"]) / 1e6
    return usage, periods


@pytest.mark.real
def test_the_error_is_what_the_kernels_files_say(subject):
    account, readings = subject.group.account, []

    def account_between_readings():
        before = read_account(subject.group)
        found = account()
        readings.append((before, read_account(subject.group)))
        return found

    subject.group.account = account_between_readings
    values = subject.sample()
    (first_low, first_high), *_, (last_low, last_high) = readings
    # Both counters only ever rise, so what the sample saw lies between these readings.
    least, most = last_low[0] - first_high[0], last_high[0] - first_low[0]
    fewest, many = last_low[1] - first_high[1], last_high[1] - first_low[1]
    assert fewest >= 19
    allowed = QUOTA * PERIOD
    assert least / (many * allowed) - 1 - 1e-6 <= values["error"]
    assert values["error"] <= most / (fewest * allowed) - 1 + 1e-6
    assert 0 <= values["throttled"] <= 1
    assert values["stall"] > 0


@pytest.mark.real
def test_a_throttled_group_is_proven(subject):
    subject.sample()
    proof = subject.proof()
    assert proof.holds, proof.broken
    assert len(proof.checks) == 3


def broken(subject):
    return [check.claim for check in subject.proof().broken]


@pytest.mark.real
def test_a_group_that_never_ran_is_not_proven(subject):
    # On an overrun machine the threads' own start may have been throttled just before.
    subject._opened = subject.binding.account()
    assert broken(subject) == ["the group used up its quota and was throttled"]


@pytest.mark.real
def test_another_limit_is_not_proven(subject):
    subject.sample()
    subject.group.limit(0.3, PERIOD)
    assert broken(subject) == ["limit read back (quota µs, period µs)"]


@pytest.mark.real
def test_a_thread_outside_the_group_is_not_proven(subject):
    subject.sample()
    (pid,) = subject.spinners.pids
    for folder in accounting_folders(subject.group):
        (folder.parents[1] / "cgroup.procs").write_text(str(pid))
    assert broken(subject) == ["every busy thread is in the limited cgroup"]


def state_of(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.real
@pytest.mark.parametrize("seconds", [0.05, 0.4])
def test_a_stop_of_known_length_is_seen_as_a_gap(lab, version, seconds):
    with (
        lab.cpu_group(version) as group,
        open_spinners(1, group) as spinners,
        spinners.running(),
    ):
        spinners.watch()
        (pid,) = spinners.pids
        os.kill(pid, signal.SIGSTOP)
        give_up = time.monotonic() + PATIENCE
        while state_of(pid) != "T" and time.monotonic() < give_up:
            time.sleep(0.001)
        began = time.perf_counter_ns()
        time.sleep(seconds)
        stopped = time.perf_counter_ns() - began
        os.kill(pid, signal.SIGCONT)
        while spinners.longest_gap() < stopped and time.monotonic() < give_up:
            time.sleep(0.001)
        assert spinners.longest_gap() >= stopped
        spinners.watch()
        assert spinners.pids == group.members()


@pytest.mark.real
def test_threads_end_with_their_subject(lab, version):
    with lab.cpu_group(version) as group, open_spinners(2, group) as spinners:
        pids = spinners.pids
        assert sorted(group.members()) == sorted(pids)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not group.folder.exists()


def test_a_thread_that_another_process_was_to_own_does_not_begin():
    board = os.memfd_create("board")
    os.ftruncate(board, spin.WORDS * 8)
    argv = python_script(Path(spin.__file__), str(board), "0", str(os.getpid() + 1), "spin")
    done = subprocess.run(argv, pass_fds=[board], capture_output=True, text=True, timeout=PATIENCE)
    os.close(board)
    assert done.returncode == 1
    assert "is gone" in done.stderr
    assert sys.executable == argv[0]


def test_a_version_that_the_machine_lacks_is_unsupported(monkeypatch):
    monkeypatch.setattr("cnbench.lab.cgroups.cpu.find_controllers", lambda: {"v1": None})
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(UnsupportedError, match=r"v2 has no cpu controller.*it is on v1"):
        cpu_quota.EXPERIMENT.require(Point(controller="v2", quota=0.2), None)


def test_more_quota_than_there_are_cpus_is_unsupported(monkeypatch, tmp_path):
    (tmp_path / "cgroup.procs").touch()
    writable = Controller("v1", tmp_path, tmp_path)
    monkeypatch.setattr("cnbench.lab.cgroups.cpu.find_controllers", lambda: {"v1": writable})
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    with pytest.raises(UnsupportedError, match="300% is never used up on 2 CPUs"):
        cpu_quota.EXPERIMENT.require(Point(controller="v1", quota=3.0), None)


def test_the_quick_grid_is_the_one_asked_for():
    points = cpu_quota.EXPERIMENT.grid(False, {"controller": ("v1",)})
    found = {(point["quota"], point["threads"], point["period"]) for point in points}
    assert found == {
        (quota, threads, period)
        for quota, threads in ((0.2, 1), (0.5, 1), (1.5, 2))
        for period in (0.1, 0.01)
    } | {(0.01, 1, 0.1)}
    # The kernel's own test is a second long.
    assert {p["periods"] * p["period"] for p in points if p["quota"] == 0.01} == {1.0}
