import pytest

from cnbench.measuring import witness
from cnbench.measuring.witness import MachineReading, between, joined


@pytest.fixture
def disturbances_as_they_are(monkeypatch):
    monkeypatch.undo()
    return witness.disturbances


def reading(at=0.0, run_delay=0.0, pressure=0.0, **machine):
    columns = dict.fromkeys(witness._STAT_COLUMNS, 0.0)
    return MachineReading(at, run_delay, columns | machine, pressure)


def test_shares_are_of_the_sample_or_of_all_cpu_time():
    after = reading(2.0, run_delay=0.5, pressure=1.0, user=1, idle=2, steal=0.5, softirq=0.5)
    shares = between(reading(), after)
    assert shares == {
        "run_delay": 0.25,
        "steal": 0.125,
        "softirq": 0.125,
        "busy": 0.5,
        "cpu_pressure": 0.5,
    }


def test_what_the_kernel_does_not_say_is_left_out():
    assert "cpu_pressure" not in between(reading(), reading(1.0, pressure=None, idle=1))
    assert "steal" not in between(reading(), reading(0.001))  # no tick went by


@pytest.mark.parametrize(
    ("shares", "duration", "words"),
    [
        ({"steal": 0.03}, 1.0, ["the hypervisor took 3.0% of the CPU time"]),
        ({"run_delay": 0.5}, 1.0, ["the sampler waited for a CPU 50.0% of the time"]),
        ({"steal": 0.1, "run_delay": 0.1}, 1.0, ["hypervisor", "waited"]),
        ({"steal": 0.019, "run_delay": 0.019}, 1.0, []),
        ({"run_delay": 0.5}, 0.001, []),  # one late wake-up of half a millisecond
        ({"busy": 1.0, "softirq": 1.0}, 1.0, []),
        ({}, 1.0, []),
    ],
)
def test_a_sample_is_disturbed_beyond_the_thresholds(
    disturbances_as_they_are, shares, duration, words
):
    found = disturbances_as_they_are(shares, duration)
    assert len(found) == len(words)
    assert all(word in sentence for word, sentence in zip(words, found, strict=True))


def test_what_happened_between_timed_parts_is_left_out():
    parts = [
        (reading(1.0, run_delay=0.1, user=1, idle=1), reading(2.0, run_delay=0.2, user=2, idle=1)),
        (reading(9.0, run_delay=5.0, steal=9), reading(12.0, run_delay=5.3, steal=9, user=1)),
    ]
    before, after = joined(parts)
    assert after.at - before.at == pytest.approx(4)
    shares = between(before, after)
    assert shares["run_delay"] == pytest.approx(0.1)
    assert shares["steal"] == 0
    assert shares["busy"] == 1


def test_a_kernel_that_says_no_pressure_says_none_of_parts():
    _, after = joined([(reading(pressure=None), reading(1.0, pressure=None))])
    assert after.pressure is None


def test_the_counters_of_this_machine_never_run_backwards():
    before = MachineReading.now()
    sum(range(100_000))
    shares = between(before, MachineReading.now())
    assert all(share >= 0 for share in shares.values())
    assert {"run_delay"} <= shares.keys()
