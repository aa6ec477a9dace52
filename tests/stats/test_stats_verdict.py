"""Verdicts: each rule, their symmetry, and reasons that a person can act on."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnbench.core.metric import Better, Scale
from cnbench.stats.intervals import Interval
from cnbench.stats.verdict import Judgement, Verdict, judge


def judge_ratio(
    low: float, high: float, margin: float = 0.02, noise: float = 0.005, better: Better = "lower"
) -> Judgement:
    effect = Interval(math.sqrt(low * high), low, high)
    return judge(effect, margin=margin, noise=noise, scale="ratio", better=better)


@pytest.mark.parametrize(
    ("low", "high", "noise", "verdict"),
    [
        (1.03, 1.05, 0.005, "worse"),
        (0.93, 0.95, 0.005, "better"),
        (1.03, 1.05, 0.10, "worse"),
        (0.93, 0.95, 0.10, "better"),
        (1.015, 1.05, 0.005, "inconclusive"),
        (0.95, 0.985, 0.005, "inconclusive"),
        (0.99, 1.01, 0.005, "equivalent"),
        (1.005, 1.01, 0.005, "equivalent"),
        (0.99, 1.01, 0.03, "inconclusive"),
        (0.99, 1.03, 0.005, "inconclusive"),
        (0.90, 1.10, 0.005, "inconclusive"),
        (1.0, 1.0, 0.0, "equivalent"),
        (0.0001, 10_000, 0.0, "inconclusive"),
    ],
)
def test_rules_when_lower_is_better(low: float, high: float, noise: float, verdict: str) -> None:
    assert judge_ratio(low, high, noise=noise).verdict == verdict


def test_the_margin_itself_is_within_the_margin() -> None:
    effect = Interval(0.0, -0.25, 0.25)
    judgement = judge(effect, margin=0.25, noise=0.25, scale="additive", better="lower")
    assert judgement.verdict is Verdict.EQUIVALENT


def test_without_a_margin_any_effect_beyond_the_noise_counts() -> None:
    assert judge_ratio(1.001, 1.002, margin=0, noise=0).verdict is Verdict.WORSE


def test_direction() -> None:
    assert judge_ratio(1.03, 1.05, better="higher").verdict is Verdict.BETTER
    assert judge_ratio(0.93, 0.95, better="higher").verdict is Verdict.WORSE
    further_from_zero = Interval(0.03, 0.025, 0.035)
    judgement = judge(further_from_zero, margin=0.02, noise=0, scale="additive", better="zero")
    assert judgement.verdict is Verdict.WORSE


def test_a_reason_shows_the_interval_and_how_many_times_the_blocks() -> None:
    # On logarithms the interval is 0.0133 +- 0.0173 and the margin 0.0198: 0.0065 away.
    # (0.0173 / 0.0065)^2 = 7.0.
    effect = Interval(math.sqrt(0.996 * 1.031), 0.996, 1.031)
    judgement = judge(effect, margin=0.02, noise=0.005, scale="ratio", better="lower")
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.reason == (
        "the interval reaches from -0.4 % to +3.1 %, across the margin of ±2 %;"
        " what would help: about 7 times as many blocks (a larger --budget)"
    )


def test_who_counts_instructions_is_not_told_to() -> None:
    effect = Interval(1.0, 0.999, 1.001)
    for counted in (False, True):
        judgement = judge(
            effect, margin=0.002, noise=0.003, scale="ratio", better="lower", counted=counted
        )
        assert judgement.verdict is Verdict.INCONCLUSIVE
        assert ("--clock instructions" in judgement.reason) is not counted
        assert "a larger --budget" in judgement.reason


def test_no_budget_settles_an_effect_on_the_margin() -> None:
    judgement = judge_ratio(1.01, 1.0301)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "another margin" in judgement.reason


def test_reasons_use_the_unit_on_the_additive_scale() -> None:
    effect = Interval(2e-6, -1e-6, 5e-6)
    judgement = judge(effect, margin=3e-6, noise=0, scale="additive", better="lower", unit="s")
    assert "from -1 µs to +5 µs, across the margin of ±3 µs" in judgement.reason


def test_noise_is_named_as_the_reason() -> None:
    assert "noise floor of 10 %" in judge_ratio(0.99, 1.01, noise=0.1).reason
    assert "could have been missed" in judge_ratio(0.99, 1.01, noise=0.1).reason


@pytest.mark.parametrize("scale", ["ratio", "additive"])
def test_too_few_blocks(scale: Scale) -> None:
    low = 0.0 if scale == "ratio" else -math.inf
    unbounded = Interval(1.0, low, math.inf)
    judgement = judge(unbounded, margin=0.02, noise=0, scale=scale, better="lower")
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "too few blocks to bound the effect" in judgement.reason
    assert judge_ratio(1.03, 1.05, noise=math.inf).verdict is Verdict.WORSE
    judgement = judge_ratio(0.99, 1.01, noise=math.inf)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "noise floor is unknown" in judgement.reason


@pytest.mark.parametrize(
    ("effect", "margin", "noise"),
    [
        (Interval(1, 1, 1), -0.1, 0.0),
        (Interval(1, 1, 1), math.nan, 0.0),
        (Interval(1, 1, 1), 0.1, -1.0),
        (Interval(1, 1, 1), 0.1, math.nan),
        (Interval(1, 2, 3), 0.1, 0.0),
        (Interval(0, -1, 1), 0.1, 0.0),
    ],
)
def test_what_is_not_a_comparison_is_refused(effect: Interval, margin: float, noise: float) -> None:
    with pytest.raises(ValueError, match=r"margin|noise|interval"):
        judge(effect, margin=margin, noise=noise, scale="ratio", better="lower")


SIZES = st.floats(0, 0.5)
RATIOS = st.floats(0.5, 2)


@given(RATIOS, RATIOS, SIZES, SIZES, SIZES)
def test_a_wider_margin_keeps_equivalence(
    one: float, other: float, margin: float, wider: float, noise: float
) -> None:
    low, high = sorted((one, other))
    if judge_ratio(low, high, margin=margin, noise=noise).verdict is Verdict.EQUIVALENT:
        widened = judge_ratio(low, high, margin=margin + wider, noise=noise)
        assert widened.verdict is Verdict.EQUIVALENT


@given(RATIOS, RATIOS, SIZES, SIZES, SIZES)
def test_more_noise_never_makes_a_verdict(
    one: float, other: float, margin: float, noise: float, more: float
) -> None:
    low, high = sorted((one, other))
    before = judge_ratio(low, high, margin=margin, noise=noise).verdict
    after = judge_ratio(low, high, margin=margin, noise=noise + more).verdict
    assert after in (before, Verdict.INCONCLUSIVE)


@given(
    st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(sorted),
    SIZES,
    SIZES,
    st.sampled_from(["ratio", "additive"]),
)
def test_the_direction_swaps_better_and_worse(
    ends: list[float], margin: float, noise: float, scale: Scale
) -> None:
    low, high = ends
    effect = Interval((low + high) / 2, low, high)
    if scale == "ratio":
        effect = effect.map(math.exp)
    lower = judge(effect, margin=margin, noise=noise, scale=scale, better="lower").verdict
    higher = judge(effect, margin=margin, noise=noise, scale=scale, better="higher").verdict
    swapped = {Verdict.BETTER: Verdict.WORSE, Verdict.WORSE: Verdict.BETTER}
    assert higher == swapped.get(lower, lower)
