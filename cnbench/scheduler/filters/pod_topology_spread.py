"""PodTopologySpread with DoNotSchedule. Source: kubernetes podtopologyspread/filtering.go."""

from __future__ import annotations

from cnbench.scheduler import loops
from cnbench.scheduler.cluster import PodShape
from cnbench.scheduler.columns.arrays import Mask
from cnbench.scheduler.model.placement_rules import DO_NOT_SCHEDULE
from cnbench.scheduler.spread_domains import constraints
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
        here = loops.within_skew(
            counts,
            view.codes(constraint.column),
            constraint.domains(),
            constraint.min_domains,
            constraint.max_skew - constraint.self_match,
        )
        fits = here if fits is None else fits & here
    return fits
