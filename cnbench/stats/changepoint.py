"""Steps in a series of medians, such as a cost by kernel release."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from cnbench.core.autocorrelation import lag_one
from cnbench.core.errors import CnbenchError
from cnbench.core.metric import Scale
from cnbench.stats.arrays import Floats, as_values, exp_of, log_of, median
from cnbench.stats.distributions import normal_quantile
from cnbench.stats.intervals import Interval, check_confidence

# Medians that agree to this part are one value: a clock that counts instructions can repeat
# exactly, and a standard error of zero would make rounding errors into steps.
_SAME = 1e-9
# The differences of neighbours that tell of noise: the others may be steps, or places out of line.
_KEPT = 0.8
# The mean square of the smaller four fifths of normal numbers.
_KEPT_OF_NORMAL = 0.4377
_MOST_MEMORY = 0.6
# As many places as this each level hides of the noise, and gives back of memory: with two, 9 % of
# series of 40 places that remember by 0.5 had a step that was none; with four, 4 %.
_HIDDEN = 4
_MOST_ROUNDS = 5
# With fewer places every neighbour may be a step.
_FEWEST_TO_SCATTER = 6
# With fewer, what two levels hide of memory is as much as there could be.
_FEWEST_TO_REMEMBER = 20


@dataclass(frozen=True, slots=True)
class Step:
    """A change of level in a series.

    Attributes:
        index: the first place that has the new level (from 1).
        before: the level before, in the unit of the series.
        after: the level from ``index`` up to the next step.
        effect: after against before, a ratio or a difference. Its interval takes the place of the
            step as given, so it is somewhat too narrow where the place itself is in doubt.
    """

    index: int
    before: float
    after: float
    effect: Interval


def steps(
    series: Sequence[Interval],
    *,
    noise: float,
    scale: Scale,
    confidence: float = 0.95,
    told_alone: bool = False,
) -> list[Step]:
    """The steps in ``series``, one median with its interval a place, in order.

    Optimal partitioning (Jackson et al., "An algorithm for optimal partitioning of data on an
    interval", IEEE Signal Processing Letters 12 (2005) 105-108; PELT of Killick et al., JASA 107
    (2012) 1590-1598 is the same without the places it can skip, which series this short do not
    need): the levels of two places and more that minimise the squared distances in standard errors,
    plus a penalty for each step. The penalty is the chi-squared quantile at which a series of the
    same length without a step shows one with probability 1 - ``confidence`` (Bonferroni over what
    may be a level). On the ratio scale it works on logarithms. A single place far off its running
    median of three leaves no trace (Tukey, Exploratory Data Analysis, 1977, chapter 7): it is
    ``out_of_line``.

    A place's variance is the larger of two. What it is told: that of its median, from its interval,
    plus that between runs of the same thing, from ``noise``: the size of effect that two runs
    without a difference stay below with ``confidence`` (``noise_floor``; 0 if there is none). And
    what the series shows, by how neighbours differ (``scatter``), which knows what separate runs
    differ by and what they remember.

    How often it steps where there is no step, and finds one where there is: docs/statistics.md.

    Args:
        series: medians with intervals of this ``confidence``, all bounded.
        noise: relative on the ratio scale, in the unit of the series on the additive one.
        scale: of the metric.
        confidence: that a series without a step gives none.
        told_alone: each place is another thing (a kernel, say), so that neighbours tell no noise
            and a level may have one place; right where ``noise`` is all that runs differ by.

    Raises:
        CnbenchError: an interval that is not bounded, or not positive on the ratio scale.
        ValueError: a negative or infinite noise floor, or a confidence outside 0.5 to 1.
    """
    found = _fitted(series, noise, scale, confidence, told_alone)
    return [
        _step(index, before, after, scale, confidence)
        for index, before, after in zip(
            found.starts, found.segments, found.segments[1:], strict=False
        )
    ]


def out_of_line(
    series: Sequence[Interval], *, noise: float, scale: Scale, confidence: float = 0.95
) -> list[int]:
    """The single places of ``series`` that lie off the level around them, steps apart.

    Further off than any of so many does by chance, with ``confidence``. The arguments and errors
    are those of ``steps``.
    """
    found = _fitted(series, noise, scale, confidence, told_alone=False)
    return np.flatnonzero(found.apart).tolist()


@dataclass(frozen=True, slots=True)
class _Fit:
    """The first places of all levels but the first, the levels, and the places off them."""

    starts: list[int]
    segments: list[_Segment]
    apart: npt.NDArray[np.bool_]


def _fitted(
    series: Sequence[Interval], noise: float, scale: Scale, confidence: float, told_alone: bool
) -> _Fit:
    check_confidence(confidence)
    if not 0 <= noise < np.inf:
        raise ValueError(f"the noise floor must be a finite size of effect, not {noise}")
    if len(series) < 2:
        return _Fit([], [], np.zeros(len(series), dtype=bool))
    levels, variances = _on_scale(series, noise, scale, confidence)
    if told_alone:
        penalty = _most_of(len(series) - 1, confidence)
        starts = _partition(levels, 1 / variances, penalty, shortest=1)
        return _fit(levels, variances, starts, np.zeros(levels.size, dtype=bool))
    return _fit_by_neighbours(levels, variances, confidence)


def _most_of(many: float, confidence: float) -> float:
    """What the squares of ``many`` standard normal numbers all stay below with ``confidence``."""
    return normal_quantile((1 - confidence) / many / 2) ** 2


def _fit_by_neighbours(levels: Floats, told: Floats, confidence: float) -> _Fit:
    """Levels of two places and more, in what the series itself shows to be its noise.

    A place that is further from the median of it and its neighbours than any of so many is by
    chance counts as that median: by itself it makes no level. How much places remember is estimated
    from what the levels leave, beginning with independent places. Where that shows memory, there
    were steps that were none: it begins again with what it has learned.
    """
    alone = _most_of(levels.size - 1, confidence)
    # Levels of two places begin at half as many independent ones.
    penalty = _most_of((levels.size - 1) / 2, confidence)
    smooth = median_of_three(levels)
    memory, left = 0.0, math.inf
    for _ in range(_MOST_ROUNDS):
        shown = min(scatter(levels, memory), left * (1 + memory) / (1 - memory))
        variances = np.maximum(told, shown)
        sought = np.where((levels - smooth) ** 2 > variances * alone, smooth, levels)
        starts = _partition(sought, 1 / variances, penalty, shortest=2)
        rest = levels - _middles(smooth, starts)
        remembered = _memory(rest, len(starts) + 1)
        if remembered <= memory:
            break
        memory, left = remembered, _variance(rest, len(starts) + 1)
    return _fit(levels, variances, starts, rest**2 > variances * alone)


def _middles(levels: Floats, starts: Sequence[int]) -> Floats:
    """The median of its stretch for each place."""
    edges = [0, *starts, levels.size]
    medians = [median(levels[start:end]) for start, end in pairwise(edges)]
    return np.repeat(medians, np.diff(edges))


def _memory(rest: Floats, stretches: int) -> float:
    """The autocorrelation of what ``stretches`` medians leave, each of which hides some of it."""
    n = rest.size
    if n < _FEWEST_TO_REMEMBER:
        return 0.0
    return min(max((n * lag_one(rest.tolist()) + _HIDDEN * stretches) / (n - 4), 0.0), _MOST_MEMORY)


def _variance(rest: Floats, stretches: int) -> float:
    """The variance of places of which ``rest`` is left by ``stretches`` medians."""
    return float((rest**2).sum()) / max(rest.size - _HIDDEN * stretches, 1)


def scatter(levels: Floats, memory: float = 0.0) -> float:
    """The variance with which the mean of a stretch of ``levels`` (shape (n,)) scatters, times n.

    From differences of neighbours, whose steps are few: the mean square of four fifths of them, the
    largest left out, against that of normal ones. Of a first-order autoregression of ``memory`` r
    they show 1 - r of the variance, and the mean scatters by (1 + r) / (1 - r) more than that.
    """
    if levels.size < _FEWEST_TO_SCATTER:
        return 0.0
    squares = np.sort(np.diff(levels) ** 2)[: math.ceil(_KEPT * (levels.size - 1))]
    variance = float(squares.mean()) / _KEPT_OF_NORMAL / 2 / (1 - memory)
    return variance * (1 + memory) / (1 - memory)


def median_of_three(levels: Floats) -> Floats:
    """The running median of three, with Tukey's rule at both ends."""
    if levels.size < 3:
        return levels
    inner = np.median(np.stack([levels[:-2], levels[1:-1], levels[2:]]), axis=0)
    first = np.median([levels[0], inner[0], 3 * inner[0] - 2 * inner[min(1, inner.size - 1)]])
    last = np.median([levels[-1], inner[-1], 3 * inner[-1] - 2 * inner[-min(2, inner.size)]])
    return np.concatenate([[first], inner, [last]])


@dataclass(frozen=True, slots=True)
class _Segment:
    """The weighted mean of a stretch of places without a step, and its variance."""

    level: float
    variance: float


def _fit(
    levels: Floats, variances: Floats, starts: list[int], apart: npt.NDArray[np.bool_]
) -> _Fit:
    """The levels between ``starts``, each the weighted mean of its places that are in line."""
    segments = []
    for start, end in pairwise([0, *starts, levels.size]):
        inside = ~apart[start:end]
        if not inside.any():
            inside[:] = True
        weights = 1 / variances[start:end][inside]
        level = float(np.average(levels[start:end][inside], weights=weights))
        segments.append(_Segment(level, 1 / float(weights.sum())))
    return _Fit(starts, segments, apart)


def _partition(levels: Floats, weights: Floats, penalty: float, shortest: int) -> list[int]:
    """The first places of all levels but the first, at the least cost plus penalties."""
    centred = levels - levels.mean()
    sums = [np.concatenate([[0.0], np.cumsum(weights * centred**power)]) for power in (0, 1, 2)]
    best = np.full(levels.size + 1, np.inf)
    best[0] = -penalty
    last_start = [0] * (levels.size + 1)
    for end in range(shortest, levels.size + 1):
        starts = slice(0, end - shortest + 1)
        weight, first, second = (total[end] - total[starts] for total in sums)
        costs = best[starts] + (second - first**2 / weight) + penalty
        last_start[end] = int(np.argmin(costs))
        best[end] = costs[last_start[end]]
    starts_found = []
    place = last_start[-1]
    while place > 0:
        starts_found.append(place)
        place = last_start[place]
    return starts_found[::-1]


def _on_scale(
    series: Sequence[Interval], noise: float, scale: Scale, confidence: float
) -> tuple[Floats, Floats]:
    """Levels and their variances, in logarithms on the ratio scale."""
    for place, interval in enumerate(series):
        if not interval.bounded:
            raise CnbenchError(
                f"place {place} of the series has too few blocks for an interval",
                "measure it with a larger --budget",
            )
    check = log_of if scale == "ratio" else as_values
    levels = check([interval.estimate for interval in series], "the series")
    lows = check([interval.low for interval in series], "the series' lower ends")
    highs = check([interval.high for interval in series], "the series' upper ends")
    z = normal_quantile((1 + confidence) / 2)
    between = np.log1p(noise) if scale == "ratio" else noise
    # The difference of two runs has twice the variance of one.
    variances = ((highs - lows) / 2 / z) ** 2 + (between / z) ** 2 / 2
    same = _SAME if scale == "ratio" else _SAME * max(float(np.abs(levels).max()), _SAME)
    return levels, np.maximum(variances, same**2)


def _step(index: int, before: _Segment, after: _Segment, scale: Scale, confidence: float) -> Step:
    z = normal_quantile((1 + confidence) / 2)
    change = after.level - before.level
    reach = z * float(np.sqrt(before.variance + after.variance))
    effect = Interval(change, change - reach, change + reach)
    if scale == "additive":
        return Step(index, before.level, after.level, effect)
    return Step(index, exp_of(before.level), exp_of(after.level), effect.map(exp_of))
