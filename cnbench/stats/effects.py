"""The effect of B against A, in blocks that they share or between separate runs.

Both work on a scale where differences have a meaning: logarithms where quotients are compared.
An effect there is B less A, and 0 is none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from cnbench.core.errors import CnbenchError
from cnbench.core.metric import Better, Scale
from cnbench.stats.arrays import Floats, as_values, exp_of, log_of
from cnbench.stats.autocorrelation import (
    freedom_of,
    remembered,
    widened,
    widened_as_blocks,
)
from cnbench.stats.distributions import normal_chance, normal_quantile, t_chance, t_quantile
from cnbench.stats.intervals import Interval, blocks_needed, mean_interval
from cnbench.stats.level import level_of
from cnbench.stats.observations import Observations
from cnbench.stats.signed_rank import pseudomedian, pseudomedian_interval

Unit = Literal["block", "set-up", "run"]

# Two runs a side, or three earlier ones: with fewer, t would ask for 13 standard errors.
FEWEST_FREEDOM = 2

# Fewer series than this, and what they show together is chance as well.
_FEWEST_POOLED = 5


@dataclass(frozen=True)
class Effect:
    """An effect with its 95 % interval, and what that rests on.

    Attributes:
        interval: on the scale of differences.
        freedom: the degrees of freedom that its spread was estimated with.
        unit: what was drawn independently.
        units: how many of these the smaller side has.
        autocorrelation: of neighbouring blocks, 0 to 0.9; the interval has been widened for it.
        spread: the standard deviation between units; None where these were blocks.
        known: whether the interval contains what another draw would have changed: between runs if
            they are separate, else between set-ups.
        repeats_alone: whether what runs differ by is known from the repeats of these two alone.
    """

    interval: Interval
    freedom: float
    unit: Unit
    units: int
    autocorrelation: float = 0.0
    spread: float | None = None
    known: bool = True
    repeats_alone: bool = False

    def on(self, scale: Scale) -> Interval:
        """The interval as a ratio (1 is no effect), or as it is on the additive scale."""
        return self.interval.map(exp_of) if scale == "ratio" else self.interval

    def reversed(self) -> Effect:
        """The effect of A against B."""
        interval = self.interval
        return replace(self, interval=Interval(-interval.estimate, -interval.high, -interval.low))

    def p_beyond(self, margin: float, unknown: float = 0.0) -> float:
        """The two-sided p-value of an effect no larger than ``margin`` (of this scale, from 0).

        0.05 where an end of the interval lies on the margin, and from there as Student's t with
        ``freedom``: ranks of few blocks have no small p-values of their own. ``unknown`` is what
        chance that the interval knows nothing of stays below in 19 of 20, taken as normal.
        """
        low, estimate, high = self.interval.low, self.interval.estimate, self.interval.high
        reach = estimate - low if estimate > 0 else high - estimate
        beyond = abs(estimate) - margin
        if beyond <= 0 or not math.isfinite(reach):
            return 1.0
        p_value = _two_sided(beyond, reach, self.freedom)
        if not unknown:
            return p_value
        return max(p_value, _two_sided(beyond, math.hypot(reach, unknown), math.inf))


def _two_sided(distance: float, reach: float, freedom: float) -> float:
    """The p-value of a ``distance`` from where ``reach`` gives 0.05."""
    if reach == 0:
        return 0.0
    errors = distance / reach
    if math.isinf(freedom):
        return 2 * normal_chance(errors * normal_quantile(0.025))
    return 2 * t_chance(freedom, errors * t_quantile(freedom, 0.025))


def on_differences(
    values: npt.ArrayLike, scale: Scale, better: Better, what: str = "values"
) -> Floats:
    """``values`` (shape (n,)) on the scale of differences.

    Logarithms on the ratio scale. Where ``better`` is zero, distances from zero, so that a positive
    effect always means further from zero.

    Raises:
        CnbenchError: no values, one that is not finite, or not above zero on the ratio scale.
        ValueError: a ratio of distances from zero is asked for, which has no meaning near zero.
    """
    if scale == "ratio":
        if better == "zero":
            raise ValueError("distances from zero are compared on the additive scale")
        return log_of(values, what)
    found = as_values(values, what)
    return np.abs(found) if better == "zero" else found


def effect_in_blocks(
    a: Observations, b: Observations, twin: Observations | None = None, *, memory: float = 0.0
) -> Effect:
    """The effect of B against A, element i of both taken in the same block.

    What slows a block, and what a run as a whole differs by, cancels. ``twin`` is A′, the same
    thing as A once more in these blocks: B is then held against the mean of both, which knows A
    better by a quarter of the variance. Their own difference remembers as that of A and B does, so
    both tell of autocorrelation; it is taken for ``memory`` at least (``pooled_memory``).

    The unit is the run where there are several, with Student's t; else the set-up, by its median,
    where both have several; else the block. Blocks, and six set-ups and more, have the interval of
    ``pseudomedian_interval``; fewer set-ups Student's t. An effect of one set-up a side, noted as
    such, is not ``known``: what set-ups differ by does not cancel.

    Raises:
        CnbenchError: different numbers of blocks, or none.
    """
    contrast, *others = contrasts(a, b, twin)
    known = 1 not in (a.setup_count, b.setup_count)
    runs = contrast.by_run
    if len(runs) > 1:
        return replace(_of_runs(np.array([run.centre() for run in runs])), known=True)
    n = contrast.values.size
    memory = max(memory, remembered([observed.lag_one for observed in (contrast, *others)], n))
    ones = [a] if twin is None else [a, twin]
    pairs = [_labelled(b.values - observed.values, a, b) for observed in ones]
    if known and contrast.setup_count > 1:
        found = _of_setups(contrast, pairs)
        interval = found.interval
        if memory:
            blocks = _of_blocks(contrast, pairs).interval
            interval = widened_as_blocks(interval, blocks, memory, n)
    else:
        found = _of_blocks(contrast, pairs)
        interval = widened(found.interval, memory, n)
    return replace(
        found,
        interval=interval,
        freedom=min(found.freedom, freedom_of(memory, n)),
        autocorrelation=memory,
        known=known,
    )


def contrasts(
    a: Observations, b: Observations, twin: Observations | None = None
) -> list[Observations]:
    """B less A, block by block, or less the mean of A and A′; and then A less A′ too.

    Raises:
        CnbenchError: different numbers of blocks, or none.
    """
    if not a.values.size == b.values.size == (twin or b).values.size:
        raise CnbenchError("what shares its blocks has a value in each", "leave out the others")
    if twin is None:
        return [_labelled(b.values - a.values, a, b)]
    return [
        _labelled(b.values - (a.values + twin.values) / 2, a, b),
        _labelled(a.values - twin.values, a, twin),
    ]


def effect_between_runs(
    a: Observations,
    b: Observations,
    earlier: Floats | None = None,
    *,
    repeated: Sequence[Floats] = (),
    memory: float = 0.0,
) -> Effect:
    """The effect of B against A, measured in separate runs, one or several a side.

    What two runs of the same differ by is estimated from the centres of repeated runs and of
    ``earlier`` ones (shape (h,)), pooled: Student's two-sample t on runs. Where a side has one run
    alone, the interval is never narrower than what the blocks of both say, which may be fewer or
    noisier than those of earlier runs. Where fewer than ``FEWEST_FREEDOM`` degrees tell of the
    spread between runs, the blocks are all there is, taken to remember by ``memory`` at least, and
    the effect is not ``known``.

    Repeats of one run follow each other, and have in common what the machine is like meanwhile. So
    where both sides have several, and enough earlier runs as many (``repeated``, the centres of
    each one's), the interval is never narrower than what the means of so many differ by.

    Raises:
        CnbenchError: no values.
    """
    centres_a, centres_b = (
        np.array([run.centre() for run in observed.by_run]) for observed in (a, b)
    )
    estimate = float(centres_b.mean() - centres_a.mean())
    units = min(centres_a.size, centres_b.size)
    groups = [centres_a, centres_b, *([] if earlier is None else [earlier])]
    freedom = sum(max(group.size - 1, 0) for group in groups)
    if freedom < FEWEST_FREEDOM:
        return replace(_inside_runs(a, b, estimate, memory), known=False)
    squares = sum(float(((group - group.mean()) ** 2).sum()) for group in groups if group.size)
    spread = math.sqrt(squares / freedom)
    error = spread * math.sqrt(1 / centres_a.size + 1 / centres_b.size)
    reach = error * t_quantile(freedom, 0.975)
    memory = max(run.memory() for observed in (a, b) for run in observed.by_run)
    if units == 1:
        inside = _inside_runs(a, b, estimate, None).interval
        reach = max(reach, inside.half_width) if inside.bounded else reach
    between_files, degrees = _reach_of_means(repeated, units)
    if degrees >= centres_a.size + centres_b.size - 2 and between_files > reach:
        reach, freedom = between_files, degrees
    between = Interval(estimate, estimate - reach, estimate + reach)
    alone = earlier is None or earlier.size < FEWEST_FREEDOM
    return Effect(between, freedom, "run", units, memory, spread, repeats_alone=alone)


def _reach_of_means(repeated: Sequence[Floats], units: int) -> tuple[float, int]:
    """What two means of ``units`` repeats of one run each differ by, and its degrees of freedom."""
    means = np.array([repeats[:units].mean() for repeats in repeated if repeats.size >= units])
    degrees = means.size - 1
    if units < 2 or degrees < FEWEST_FREEDOM:
        return 0.0, 0
    return float(means.std(ddof=1)) * math.sqrt(2) * t_quantile(degrees, 0.975), degrees


def _inside_runs(a: Observations, b: Observations, estimate: float, memory: float | None) -> Effect:
    """What the blocks of both sides say of the effect, as if runs did not differ.

    The intervals of both levels, joined by their squares (Zou & Donner, Statistics in Medicine 27
    (2008) 1693-1702); widened for autocorrelation unless ``memory`` is None.
    """
    levels = [[level_of(run, memory=memory) for run in observed.by_run] for observed in (a, b)]
    below, above = (
        math.sqrt(
            _mean_square([level.interval.estimate - level.interval.low for level in levels[down]])
            + _mean_square([level.interval.high - level.interval.estimate for level in levels[up]])
        )
        for down, up in ((1, 0), (0, 1))
    )
    if not (math.isfinite(below) and math.isfinite(above)):
        below = above = math.inf
    units = min(level.units for side in levels for level in side)
    return Effect(
        Interval(estimate, estimate - below, estimate + above),
        max(1, units - 1),
        levels[0][0].unit,
        units,
        max(level.autocorrelation for side in levels for level in side),
    )


def pooled_memory(series: Sequence[Observations]) -> float:
    """The autocorrelation (0 to 0.9) that many series of one run show together; 0 for few.

    Of 12 blocks that remember by 0.8, one in ten seems not to: by itself each would be believed,
    and among sixty cases the six would stand out.
    """
    if len(series) < _FEWEST_POOLED:
        return 0.0
    return remembered(
        [observed.lag_one for observed in series], min(observed.values.size for observed in series)
    )


def _mean_square(reaches: Sequence[float]) -> float:
    """The square of what the mean of independent things with these reaches is off by."""
    return sum(reach**2 for reach in reaches) / len(reaches) ** 2


def _of_runs(centres: Floats) -> Effect:
    spread = float(centres.std(ddof=1))
    return Effect(mean_interval(centres), centres.size - 1, "run", centres.size, spread=spread)


def _of_blocks(contrast: Observations, pairs: Sequence[Observations]) -> Effect:
    n = contrast.values.size
    interval = _symmetric(contrast.values, [pair.values for pair in pairs])
    return Effect(interval, max(n - 1, 1), "block", n)


def _of_setups(contrast: Observations, pairs: Sequence[Observations]) -> Effect:
    medians = contrast.setup_medians()
    if medians.size < blocks_needed():
        interval = mean_interval(medians)
    else:
        interval = _symmetric(medians, [pair.setup_medians() for pair in pairs])
    spread = float(medians.std(ddof=1))
    return Effect(interval, medians.size - 1, "set-up", medians.size, spread=spread)


def _symmetric(contrast: Floats, pairs: Sequence[Floats]) -> Interval:
    """The pseudomedian of ``contrast``, its interval put around the mean of those of ``pairs``.

    A difference of two things of one shape is symmetric about the effect, however skewed they are;
    that of one and the mean of two is not.
    """
    known = pseudomedian_interval(contrast)
    shift = float(np.mean([pseudomedian(pair) for pair in pairs])) - known.estimate
    return known.map(lambda value: value + shift)


def _labelled(values: Floats, a: Observations, b: Observations) -> Observations:
    """``values`` of the set-ups of both, one label a pair of them, and of their runs."""
    if not (a.setups.size and b.setups.size):
        return Observations(values, runs=a.runs)
    return Observations(values, a.setups * (b.setups.max() + 1) + b.setups, a.runs)
