"""Costs for asv: known answers."""

from __future__ import annotations

import pytest

from cnbench.asv.conversion import asv_samples, cost, cost_unit
from cnbench.core.case import Case
from cnbench.core.errors import CnbenchError
from cnbench.core.metric import Better, Metric, Scale
from cnbench.core.run import CaseResult, Sample, Status


def metric(unit: str, better: Better, scale: Scale) -> Metric:
    return Metric("error", unit, better, scale, "")


@pytest.mark.parametrize(
    ("of", "value", "expected", "unit"),
    [
        (metric("s", "lower", "ratio"), 2.5e-5, 2.5e-5, "seconds"),
        (metric("B", "lower", "ratio"), 4096.0, 4096.0, "bytes"),
        (metric("B", "lower", "additive"), -16.0, -16.0, "bytes"),
        (metric("", "lower", "ratio"), 3.0, 3.0, "unit"),
        # 1 GiB/s is a second a GiB.
        (metric("B/s", "higher", "ratio"), 2.0**30, 1.0, "seconds/GiB"),
        (metric("s/B", "lower", "ratio"), 2.0**-30, 1.0, "seconds/GiB"),
        # Too much and too little are as bad as each other; neither is better than none.
        (metric("1", "zero", "additive"), 0.04, 1.04, "(1 + |error|)"),
        (metric("1", "zero", "additive"), -0.04, 1.04, "(1 + |error|)"),
        (metric("1", "lower", "additive"), 0.0, 1.0, "(1 + error)"),
    ],
)
def test_a_cost_is_lower_when_better(of: Metric, value: float, expected: float, unit: str) -> None:
    assert cost(of, value) == pytest.approx(expected)
    assert cost_unit(of, "wall") == unit


def test_virtual_time_is_not_called_seconds() -> None:
    assert cost_unit(metric("s", "lower", "ratio"), "instructions") == "instructions"
    assert cost_unit(metric("s/B", "lower", "ratio"), "instructions") == "instructions/B"
    assert cost(metric("s/B", "lower", "ratio"), 1.24, "instructions") == 1.24
    assert cost_unit(metric("B/s", "higher", "ratio"), "instructions") == "instructions/B"
    assert cost(metric("B/s", "higher", "ratio"), 0.8, "instructions") == 1.25


def test_a_metric_without_a_cost_is_refused() -> None:
    with pytest.raises(CnbenchError, match="no scale"):
        cost_unit(metric("s", "zero", "additive"), "wall")


def test_a_value_the_metric_cannot_have_is_refused() -> None:
    with pytest.raises(CnbenchError, match="not positive"):
        cost(metric("B/s", "higher", "ratio"), 0.0)


def result(status: Status = "ok", reason: str = "") -> CaseResult:
    return CaseResult(
        case=Case("cpu-quota", {"quota": 0.2}),
        group=0,
        status=status,
        reason=reason,
        samples=(
            Sample(0, 0, {"error": 0.5}, 0, 1, disturbances=("steal",), replaced=True),
            Sample(0, 0, {"error": 0.01}, 1, 1),
            Sample(1, 0, {"error": -0.02}, 2, 1),
        ),
    )


def test_each_block_gives_one_sample_and_replaced_ones_none() -> None:
    error = metric("1", "zero", "additive")
    assert asv_samples(result(), error) == {"samples": [1.01, 1.02], "number": 1}


def test_a_failed_case_has_no_samples_but_a_reason() -> None:
    with pytest.raises(CnbenchError, match=r"quota=0.2 failed: not proven: it was throttled"):
        asv_samples(
            result("failed", "not proven: it was throttled"), metric("1", "zero", "additive")
        )


def test_a_metric_that_the_case_lacks_is_refused() -> None:
    with pytest.raises(CnbenchError, match="has no other"):
        asv_samples(result(), Metric("other", "s", "lower", "ratio", ""))


def test_asv_computes_an_interval_from_what_it_is_handed() -> None:
    statistics = pytest.importorskip("asv_runner.statistics")
    handed = {"samples": [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7], "number": 1}
    median, stats = statistics.compute_stats(handed["samples"], handed["number"])
    assert median == pytest.approx(1.35)
    assert stats["ci_99_a"] <= 1.1
    assert stats["ci_99_b"] >= 1.6
    assert stats["repeat"] == 8
