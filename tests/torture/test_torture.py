"""The short form of `make torture`: a few of everything, and each of its checks ringing."""

import random
import signal
import subprocess

import fuzz
import kills
import pytest

from cnbench.experiments.registry import names

KINDS = ("run files", "services", "traces", "metrics", "journals", "parameters")


@pytest.fixture(scope="module")
def tested(tmp_path_factory):
    found = fuzz.Fuzz(tmp_path_factory.mktemp("fuzz"), fuzz.a_run())
    yield found
    found.close()


@pytest.mark.parametrize("kind", KINDS)
def test_odd_input_is_a_sentence_and_soon(tested, kind):
    found = tested.fuzz(kind, 40, fuzz.here)
    # Not how long it took and how much memory: here other tests are measured along.
    faults = [one for one in found.faults if not one.startswith("took ")]
    assert faults == []
    assert found.inputs >= 40


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        ((1, "", "Traceback (most recent call last)"), "a fault of ours"),
        ((5, "", "cnbench: a fault in cnbench: KeyError: 'a'"), "a fault of ours"),
        ((0, "\x1b[31mred", ""), "a control character"),
        ((-11, "", ""), "ended with -11"),
    ],
)
def test_a_fault_is_counted(ended, words):
    found = fuzz.Found("made up")
    found.look_at("input", ended, 0.1)
    assert any(fault.startswith(words) for fault in found.faults)
    slow = fuzz.Found("made up")
    slow.look_at("input", (0, "", ""), fuzz.SECONDS + 1)
    assert any(fault.startswith("took 6.0 s") for fault in slow.faults)


@pytest.fixture
def root():
    import os

    if os.geteuid() != 0:
        pytest.skip("what is killed here needs root")


def test_every_experiment_on_namespaces_and_cgroups_is_killed():
    family = {name for name in names() if name == "namespaces" or name.startswith("cgroup-")}
    assert family <= set(kills.HOST_RUNS)


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "number"),
    [("process", signal.SIGKILL), ("group", signal.SIGTERM), ("child", signal.SIGKILL)],
    ids=["killed", "asked", "without a child"],
)
def test_a_death_leaves_nothing(root, target, number):
    death = kills.Death("cpu-quota", target, number, random.uniform(1, 4))
    kills.carry_out(death, kills.HOST_RUNS)
    # What others change on this machine meanwhile is looked at by `make torture`, alone.
    death.differences = []
    assert not death.broken, death


@pytest.mark.real
def test_what_is_left_is_seen(root, monkeypatch):
    """With gc and the end of processes taken away, a killed run's things are all found."""
    monkeypatch.setattr(kills, "CNBENCH_GC", ["true"])
    # How soon it has begun, and has ended, is up to the machine.
    for after in (3.0, 2.5, 2.0, 1.5, 1.2, 1.0, 0.8, 4.0, 6.0, 9.0):
        death = kills.Death("scheduler-scoring", "process", signal.SIGKILL, after)
        kills.carry_out(death, kills.HOST_RUNS)
        if death.leaks:
            break
    subprocess.run([*kills.CNBENCH, "gc"], check=True, capture_output=True)
    assert any("/run/cnbench/" in leak for leak in death.leaks)
    assert death.broken
