"""What an effect means: better, worse, equivalent within a margin, or inconclusive and why."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from cnbench.core.metric import Better, Scale
from cnbench.core.units import FRACTION, format_quantity
from cnbench.stats.intervals import Interval

# A longer run than this many times the present one is not advice that a person can follow.
_MOST_TIMES_LONGER = 100


class Verdict(enum.StrEnum):
    """What can be said about an effect."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and the sentence that explains it; an inconclusive one says what to do."""

    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class _Case:
    """An effect turned so that none is 0 and worse is up, with the words to speak of it.

    Ratios are logarithms here, so that a ratio and its inverse lie equally far from none.
    """

    effect: Interval
    estimate: float
    low: float
    high: float
    margin: float
    noise: float
    scale: Scale
    unit: str
    counted: bool

    def show(self, effect: float) -> str:
        if self.scale == "ratio":
            return format_quantity(effect - 1, FRACTION, signed=True)
        return format_quantity(effect, self.unit, signed=True)

    def show_size(self, size: float) -> str:
        if self.scale == "ratio":
            return format_quantity(math.expm1(size), FRACTION)
        return format_quantity(size, self.unit)

    @property
    def reach(self) -> str:
        return f"from {self.show(self.effect.low)} to {self.show(self.effect.high)}"


def judge(
    effect: Interval,
    *,
    margin: float,
    noise: float,
    scale: Scale,
    better: Better,
    unit: str = "",
    counted: bool = False,
) -> Judgement:
    """The verdict on ``effect``, the effect of B against A with its interval.

    The rules, in this order:

    - *inconclusive* if the effect has no bound: there were too few blocks;
    - *worse* if the whole interval lies beyond the margin on the bad side; *better* likewise on
      the good side;
    - *equivalent* if the whole interval lies within the margin, ends included, and the noise
      floor is known and not above the margin;
    - *inconclusive* for everything else, with a reason that says what would decide it.

    The noise floor is no second hurdle for a difference: the interval already holds what A and A′
    differ by, and both together made a difference need 1.6 to 1.9 times what a t-test needs, at
    0.1 % false alarms where 5 % is claimed.

    An interval within the margin is the equivalence test of two one-sided tests (Schuirmann,
    Journal of Pharmacokinetics and Biopharmaceutics 15 (1987) 657-680); a 95 % interval makes each
    of the two a 2.5 % test. That it is absent is never taken as proof of a difference, nor a
    difference that was not found as proof of equivalence.

    Args:
        effect: from ``effect_in_blocks`` or ``effect_between_runs``; for metrics whose ``better``
            is zero these compare distances from zero, so that more is worse.
        margin: the smallest size of effect that matters: relative on the ratio scale (0.02 means
            a ratio from 1/1.02 to 1.02), in the metric's unit on the additive scale.
        noise: the noise floor, in the same terms, from ``noise_floor``; infinite if unknown.
        scale: of the metric.
        better: of the metric.
        unit: base unit of the effect on the additive scale, for the reason.
        counted: the metric counts instructions already, which needs no quieter machine.

    Raises:
        ValueError: a margin that is not finite or negative, a negative noise floor, or an effect
            that is not an interval on this scale.
    """
    _check(effect, margin, noise, scale)
    if not effect.bounded:
        return _inconclusive("there are too few blocks to bound the effect", "a larger --budget")
    return _decide(_turned(effect, margin, noise, scale, better, unit, counted))


def _decide(case: _Case) -> Judgement:
    if case.low > case.margin or case.high < -case.margin:
        verdict = Verdict.WORSE if case.low > case.margin else Verdict.BETTER
        return Judgement(
            verdict,
            f"the interval, {case.reach}, lies beyond the margin of ±{case.show_size(case.margin)}",
        )
    if -case.margin <= case.low and case.high <= case.margin:
        if not math.isfinite(case.noise):
            return _inconclusive(
                "the noise floor is unknown, the A/A' pair has too few blocks", "a larger --budget"
            )
        if case.noise > case.margin:
            return _margin_below_noise(case)
        return Judgement(
            Verdict.EQUIVALENT,
            f"the interval, {case.reach}, lies within the margin of ±{case.show_size(case.margin)}",
        )
    return _across_the_margin(case)


def _margin_below_noise(case: _Case) -> Judgement:
    steadier = "" if case.counted else "a quieter machine, --clock instructions or "
    return _inconclusive(
        f"the noise floor of {case.show_size(case.noise)} is above the margin of"
        f" ±{case.show_size(case.margin)}, so an effect of that size could have been missed",
        f"{steadier}a larger --budget",
    )


def _across_the_margin(case: _Case) -> Judgement:
    what = f"the interval reaches {case.reach}, across the margin of ±{case.show_size(case.margin)}"
    times = _times_longer(case)
    if times > _MOST_TIMES_LONGER:
        return _inconclusive(
            f"{what}, and the effect is too close to the margin for any run to tell",
            "another margin",
        )
    return _inconclusive(what, f"about {times} times as many blocks (a larger --budget)")


def _times_longer(case: _Case) -> float:
    """How many times the blocks bring the interval clear of the margin, if the estimate stays.

    Its width shrinks with the square root of the number of blocks.
    """
    to_margin = abs(abs(case.estimate) - case.margin)
    reach = max(case.high - case.estimate, case.estimate - case.low)
    if to_margin * math.sqrt(_MOST_TIMES_LONGER) < reach:
        return math.inf
    return max(2, math.ceil((reach / to_margin) ** 2))


def _inconclusive(what: str, remedy: str) -> Judgement:
    return Judgement(Verdict.INCONCLUSIVE, f"{what}; what would help: {remedy}")


def _turned(
    effect: Interval,
    margin: float,
    noise: float,
    scale: Scale,
    better: Better,
    unit: str,
    counted: bool,
) -> _Case:
    plain = effect
    if scale == "ratio":
        plain, margin, noise = effect.map(math.log), math.log1p(margin), math.log1p(noise)
    low, high, estimate = plain.low, plain.high, plain.estimate
    if better == "higher":
        low, high, estimate = -high, -low, -estimate
    return _Case(effect, estimate, low, high, margin, noise, scale, unit, counted)


def _check(effect: Interval, margin: float, noise: float, scale: Scale) -> None:
    if not (math.isfinite(margin) and margin >= 0):
        raise ValueError(f"the margin must be a size of effect, not {margin}")
    if not noise >= 0:
        raise ValueError(f"the noise floor must be a size of effect, not {noise}")
    if not effect.low <= effect.estimate <= effect.high:
        raise ValueError(f"not an interval around its estimate: {effect}")
    if scale == "ratio" and effect.bounded and effect.low <= 0:
        raise ValueError(f"a ratio is positive, this interval is not: {effect}")
