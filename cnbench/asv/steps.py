"""An asv plugin: has asv mark steps as the report does, by the intervals of the medians.

asv takes the noise of a series from how much it scatters, for which a history of four kernels is
too short: 100, 102, 105, 111 has no step to it, however exact the figures are. The counts of
executed instructions come with intervals, so a step is known from two places.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from cnbench.analysis.kernel_series import BETWEEN_BOOTS
from cnbench.core.errors import CnbenchError
from cnbench.stats.changepoint import steps
from cnbench.stats.intervals import Interval

# Of the intervals that asv computes.
_CONFIDENCE = 0.99
# A history of fewer is one of kernels, each of which may have a cost of its own, counted; in longer
# ones of commits, timed or counted, neighbours show the noise.
_FEWEST_NEIGHBOURS = 8

# Where a level begins and ends (the revision after its last), the level, the smallest value in it,
# and the mean distance from it: what asv's pages work with.
Level = tuple[int, int, float, float, float]


def levels(
    revisions: Sequence[int], values: Sequence[float | None], weights: Sequence[float | None]
) -> list[Level]:
    """The levels of a series of costs, which steps separate.

    Args:
        revisions: rising.
        values: a median each; None or NaN where there is none.
        weights: one over the half-width of the median's interval; None where that is zero.
    """
    known = [
        (revision, value, 1 / weight if weight else 0.0)
        for revision, value, weight in zip(revisions, values, weights, strict=True)
        if value is not None and value == value
    ]
    series = [Interval(value, value - reach, value + reach) for _, value, reach in known]
    try:
        found = steps(
            series,
            noise=BETWEEN_BOOTS,
            scale="ratio",
            confidence=_CONFIDENCE,
            told_alone=len(series) < _FEWEST_NEIGHBOURS,
        )
    except CnbenchError:
        # A cost that is not positive, or an interval that reaches there: no ratio to speak of.
        found = []
    edges = [0, *(step.index for step in found), len(known)]
    return [_level(known[start:end]) for start, end in pairwise(edges) if start < end]


def _level(places: Sequence[tuple[int, float, float]]) -> Level:
    values = sorted(value for _, value, _ in places)
    middle = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
    error = sum(abs(value - middle) for value in values) / len(values)
    return places[0][0], places[-1][0] + 1, middle, values[0], error


def setup() -> None:
    """What asv calls when it loads a plugin."""
    from asv.graph import Graph

    def detect_steps(self: Graph, pool: object = None) -> None:
        data = self.get_data()
        if self.scalar_series:
            data = [(revision, [value], [weight]) for revision, value, weight in data]
        self._steps = [
            levels([d[0] for d in data], [d[1][n] for d in data], [d[2][n] for d in data])
            for n in range(self.n_series)
        ]

    # asv has no setting for it; checked with 0.6.6, and by tests/history with what is installed.
    Graph.detect_steps = detect_steps
