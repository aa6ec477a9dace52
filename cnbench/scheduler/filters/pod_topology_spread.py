"""PodTopologySpread with DoNotSchedule. Source: kubernetes podtopologyspread/filtering.go."""

from __future__ import annotations

import numpy as np

from cnbench.scheduler.cluster import PodShape
from cnbench.scheduler.columns.arrays import Ints, Mask
from cnbench.scheduler.model.placement_rules import DO_NOT_SCHEDULE
from cnbench.scheduler.spread_domains import SpreadConstraint, constraints
from cnbench.scheduler.view import View

NAME = "PodTopologySpread"
REASON = "node(s) didn't match pod topology spread constraints"


def feasible(view: View, shape: PodShape) -> Mask | None:
    """The nodes where no constraint's skew would exceed its maximum; None for all.

    A node without the label fails. The skew of a domain is its matching pods, plus one if the
    pod matches itself, less the fewest matching pods of any eligible domain. Before 1.24 the pods
    on a domain's other nodes count, too, if one of its nodes is eligible.
    """
    fits = None
    everywhere = view.release.counts_excluded_nodes
    for constraint in constraints(view, shape, DO_NOT_SCHEDULE).wanted:
        counts = constraint.counts_everywhere() if everywhere else constraint.counts()
        here = view.by_label(constraint.column, _allowed(constraint, counts))
        fits = here if fits is None else fits & here
    return fits


def _allowed(constraint: SpreadConstraint, counts: Ints) -> Mask:
    """For each label value whether its skew stays within the maximum; the last entry False."""
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
