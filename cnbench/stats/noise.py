"""What a run could not have seen: its noise floor and its smallest detectable effect.

Both are sizes of an effect: relative on the ratio scale (0.02 is 2 %), in the metric's unit on the
additive scale. Both are infinite where the interval they come from is.
"""

from __future__ import annotations

import math

from cnbench.core.metric import Scale
from cnbench.stats.distributions import normal_quantile
from cnbench.stats.intervals import Interval, check_confidence


def noise_floor(same_against_same: Interval, *, scale: Scale) -> float:
    """The largest effect that the pair A, A' could have shown, though both are the same thing.

    ``same_against_same`` is their effect (``effect_in_blocks``), 1 or 0 being none. The floor is
    the end of the interval that is further from none, so it holds both the offset of the pair and
    its uncertainty. This is the A/A test (Kohavi et al., "Controlled experiments on the web", Data
    Mining and Knowledge Discovery 18 (2009) 140-181). On the ratio scale a ratio and its inverse
    are the same size of effect.

    Raises:
        ValueError: a ratio that is not positive, or an interval that is not one.
    """
    if math.isnan(same_against_same.low) or math.isnan(same_against_same.high):
        raise ValueError(f"the ends of the A/A' interval must be numbers: {same_against_same}")
    low, high = _ends_from_none(same_against_same, scale)
    return _size(max(abs(low), abs(high)), scale)


def scaled_floor(floor: float, measured: Interval, other: Interval, *, scale: Scale) -> float:
    """The noise floor of a case that was not measured twice, from one that was, in its blocks.

    A set of 5 services repeats better than one of 5,000: ``floor`` is scaled by how well ``other``,
    the case's median, is known beside ``measured``, that of the case that was measured twice. By
    relative widths on the ratio scale. Infinite where one of them has no bound, or the floor is
    known of something that does not scatter at all, and the case does.
    """
    own, reference = (_width(interval, scale) for interval in (other, measured))
    if own == reference:
        return floor
    if reference == 0 or not math.isfinite(own) or not math.isfinite(reference):
        return math.inf
    if scale == "additive":
        return floor * own / reference
    return _size(math.log1p(floor) * own / reference, scale)


def _width(interval: Interval, scale: Scale) -> float:
    low, high = _ends_from_none(interval, scale)
    return high - low


def smallest_detectable(
    effect: Interval, *, scale: Scale, power: float = 0.8, confidence: float = 0.95
) -> float:
    """The true effect that a repetition of this run would tell from none with ``power``.

    ``effect`` is an effect with the interval of its blocks, of which only the width is used: the
    standard error of a median is its interval's half-width over the normal quantile z of the
    confidence (McKean & Schrader, Communications in Statistics B 13 (1984) 751-773), and the
    smallest detectable effect (z_confidence + z_power) standard errors (Bloom, "Minimum detectable
    effects", Evaluation Review 19 (1995) 547-556).

    Simulated power at the median of this figure, 80 % aimed at, n from 6 to 60: 77 to 79 % for
    normal blocks, 73 to 79 % for heavy tails (Student's t with 2 degrees of freedom). It takes the
    blocks' effects to be about symmetric, which differences inside blocks are; an exponential
    distribution gave 98 % and more on the side of its short tail, 49 to 61 % on that of the long.
    To be told from a margin instead of from none, an effect must be larger by the margin.

    Raises:
        ValueError: a power or a confidence outside 0.5 to 1.
    """
    check_confidence(confidence)
    if not 0.5 <= power < 1:
        raise ValueError(f"power must be from 0.5 to below 1, not {power}")
    low, high = _ends_from_none(effect, scale)
    z_confidence = normal_quantile((1 + confidence) / 2)
    z_power = normal_quantile(power)
    return _size((high - low) / 2 * (1 + z_power / z_confidence), scale)


def _ends_from_none(effect: Interval, scale: Scale) -> tuple[float, float]:
    if scale == "additive":
        return effect.low, effect.high
    if effect.low < 0 or effect.high <= 0:
        raise ValueError(f"a ratio is positive, this interval is not: {effect}")
    return (math.log(effect.low) if effect.low else -math.inf), math.log(effect.high)


def _size(distance: float, scale: Scale) -> float:
    if scale == "additive":
        return distance
    try:
        return math.expm1(distance)
    except OverflowError:
        return math.inf
