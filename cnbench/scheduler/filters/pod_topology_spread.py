"""PodTopologySpread with DoNotSchedule. Source: kubernetes podtopologyspread/filtering.go."""

import numpy as np

from cnbench.scheduler.cluster import Shape
from cnbench.scheduler.columns.arrays import Mask
from cnbench.scheduler.model.placement_rules import DO_NOT_SCHEDULE
from cnbench.scheduler.spread_domains import SpreadConstraint, constraints
from cnbench.scheduler.view import View

NAME = "PodTopologySpread"
REASON = "node(s) didn't match pod topology spread constraints"


def feasible(view: View, shape: Shape) -> Mask | None:
    """The nodes where no constraint's skew would exceed its maximum; None for all.

    A node without the label fails. The skew of a domain is its matching pods, plus one if the
    pod matches itself, less the fewest matching pods of any eligible domain.
    """
    fits = None
    for constraint in constraints(view, shape, DO_NOT_SCHEDULE):
        here = view.by_label(constraint.column, _allowed(constraint))
        fits = here if fits is None else fits & here
    return fits


def _allowed(constraint: SpreadConstraint) -> Mask:
    """For each label value whether its skew stays within the maximum; the last entry False."""
    counts = constraint.counts()
    domains = constraint.domains()
    if domains is None:
        number, fewest = constraint.column.missing, int(counts[:-1].min(initial=2**31 - 1))
    else:
        number = int(domains.sum())
        fewest = int(counts.min(where=domains, initial=2**31 - 1))
    if number < constraint.min_domains:
        fewest = 0
    allowed: Mask = np.less_equal(counts, constraint.max_skew + fewest - constraint.self_match)
    allowed[-1] = False
    return allowed
