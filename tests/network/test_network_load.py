"""The load's own arithmetic, and what is read from tools and from /proc."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnbench.core.errors import CnbenchError
from cnbench.lab.clock import Clock
from cnbench.probes.cpu_time import CpuTime, parse_stat
from cnbench.probes.iperf3 import Iperf3Report, parse_report
from cnbench.probes.traffic.loop import busy_ticks
from cnbench.probes.traffic.metrics import latencies


def test_a_few_preempted_messages_do_not_count():
    assert busy_ticks([10] * 96 + [1000] * 4, sleeps=0, not_ours=0) == 1000


@pytest.mark.parametrize(("count", "percentiles"), [(1, 1), (99, 1), (100, 2), (999, 2), (1000, 3)])
def test_a_percentile_is_given_where_a_value_can_lie_beyond_it(count, percentiles):
    found = latencies(range(1, count + 1), Clock("wall"))
    assert list(found) == ["latency", "latency_p99", "latency_p999"][:percentiles]
    assert found["latency"] == pytest.approx(math.ceil(count / 2) * 1e-9)


def test_a_loop_that_slept_is_charged_for_what_was_not_idle():
    assert busy_ticks([100] * 100, sleeps=50, not_ours=4000) == 6000


def test_messages_that_cost_alternately_more_are_averaged():
    assert busy_ticks([10, 30] * 50, sleeps=0, not_ours=0) == 2000


@given(st.lists(st.integers(1, 10**9), min_size=1), st.integers(0, 10), st.integers(0, 10**9))
def test_cpu_time_is_positive_and_at_most_the_slowest_throughout(ticks, sleeps, not_ours):
    assert 0 < busy_ticks(ticks, sleeps, not_ours) <= len(ticks) * max(ticks) * (1 + 1e-12)


STAT = "cpu  100 5 50 1000 10 2 30 7 0 0\ncpu0 60 0 20 500 5 1 10 3 0 0\nintr 5\n"


def test_proc_stat_in_seconds_by_kind():
    assert parse_stat(STAT, "cpu") == CpuTime(user=1.05, system=0.5, softirq=0.32, idle=10.1)
    assert parse_stat(STAT, "cpu0").busy == pytest.approx(0.91)


def tcp_report(**received):
    return {"end": {"sum_sent": {"bytes": 9, "retransmits": 3}, "sum_received": received}}


def test_iperf3_says_what_the_receiver_got():
    text = json.dumps(tcp_report(bytes=368181248, seconds=1.001552))
    assert parse_report(text) == Iperf3Report(368181248, 1.001552, retransmits=3, lost=0)


def test_lost_datagrams_are_read():
    report = {
        "end": {"sum_sent": {}, "sum_received": {"bytes": 5, "seconds": 1, "lost_packets": 2}}
    }
    assert parse_report(json.dumps(report)).lost == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("iperf3: parameter error", "did not print JSON"),
        (json.dumps({"error": "unable to connect to server"}), "unable to connect"),
        (json.dumps(tcp_report(bytes=0, seconds=1)), "delivered nothing"),
    ],
)
def test_a_failed_iperf3_says_why(text, says):
    with pytest.raises(CnbenchError, match=says):
        parse_report(text)
