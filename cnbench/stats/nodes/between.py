"""What nodes differ by, and what one of them costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cnbench.stats.arrays import Floats, median
from cnbench.stats.intervals import Interval, blocks_needed, mean_interval, median_interval
from cnbench.stats.observations import Observations

# The variance of a median of n normal values over that of their mean: 1 / (4 n f²), f the density
# at the median, over σ² / n. It is that of many values, and larger than that of few.
_MEDIAN_OVER_MEAN = math.pi / 2


@dataclass(frozen=True)
class Between:
    """Nodes as what was drawn, on the scale of differences.

    Attributes:
        typical: the median node with an interval over nodes; of two to five their mean with
            Student's t, as for set-ups.
        inside: how well a single node is known: the standard error of its centre, a quadratic mean
            over the nodes; None where nothing tells.
        nodes: the standard deviation of nodes beyond that; None of a single node.
    """

    typical: Interval
    inside: float | None
    nodes: float | None


def between(centres: Floats, errors: Sequence[float | None]) -> Between:
    """What nodes with ``centres`` (shape (n,)) differ by, each known to a standard error.

    Their variance less the mean of their squared errors, which is what nodes that are alike would
    differ by (Hedges, "A random effects model for effect sizes", Psychological Bulletin 93 (1983)
    388-395). Zero where they differ by no more than that.
    """
    few = centres.size < blocks_needed()
    typical = mean_interval(centres) if few else median_interval(centres)
    known = [error**2 for error in errors if error is not None]
    inside = math.sqrt(sum(known) / len(known)) if known else None
    if centres.size < 2:
        return Between(typical, inside, None)
    excess = float(centres.var(ddof=1)) - (inside or 0.0) ** 2
    return Between(typical, inside, math.sqrt(max(0.0, excess)))


def standard_error(runs: Sequence[Observations]) -> float | None:
    """How well a node's centre is known: by what its runs differ by, or its only run's units.

    None of a single unit.
    """
    several = len(runs) > 1
    units = np.array([run.centre() for run in runs]) if several else runs[0].setup_medians()
    if not several and units.size < 2:
        units = runs[0].values
    if units.size < 2:
        return None
    variance = float(units.var(ddof=1)) / units.size
    return math.sqrt(variance if several else variance * _MEDIAN_OVER_MEAN)


def from_own_kind(centres: Floats, kinds: Sequence[int]) -> Floats:
    """How far each node is from the median of its kind, shape (n,).

    A kind of fewer nodes than bound a median has no centre to be held against: its nodes are held
    against the largest kind's, or, where no kind is large enough, against that of all nodes. So
    five nodes that were set up otherwise are not each other's measure.
    """
    labels = np.asarray(kinds)
    sizes = np.bincount(labels)
    largest = int(sizes.argmax())
    enough = blocks_needed()
    common = centres[labels == largest] if sizes[largest] >= enough else centres
    distances = centres - median(common)
    for kind in np.flatnonzero(sizes >= enough):
        of_kind = labels == kind
        distances[of_kind] = centres[of_kind] - median(centres[of_kind])
    return distances
