"""PodTopologySpread with ScheduleAnyway. Source: kubernetes podtopologyspread/scoring.go.

A pod without constraints of its own is spread by the profile's default constraints, if a service or
a controller selects it.
"""

from __future__ import annotations

import math

import numpy as np

from cnbench.scheduler import loops
from cnbench.scheduler.cluster import PodShape
from cnbench.scheduler.columns.arrays import Floats, Ints, Mask
from cnbench.scheduler.columns.node_labels import HOSTNAME
from cnbench.scheduler.loops.by_numpy import Part, reversed_scores, rounded
from cnbench.scheduler.model.placement_rules import SCHEDULE_ANYWAY
from cnbench.scheduler.spread_domains import Constraints, SpreadConstraint, constraints, labelled
from cnbench.scheduler.view import View

NAME = "PodTopologySpread"


def scores(view: View, shape: PodShape) -> tuple[Ints, Ints]:
    """How crowded each node's domains are, and that brought to 0 .. 100 (int64).

    Returns:
        Over the constraints the sum of count * ln(domains + 2) + (maxSkew - 1), rounded half away
        from zero (before 1.24 truncated); and 100 * (max + min - sum) / max, 100 where the maximum
        is 0. Domains are the values the view's nodes have; nodes that lack a label score 0 in both
        and are left out. Under the system's default constraints (since 1.23) they are not: what
        they lack adds nothing, and all of them together are one domain more.
    """
    wanted = constraints(view, shape, SCHEDULE_ANYWAY)
    if not wanted.wanted or not view.size:
        return view.zeros(), view.zeros()
    if wanted.complete:
        parts = [_part_by_counts(view, constraint) for constraint in wanted.wanted]
        return loops.spread(parts, view.size, view.release.spread_rounds)
    has_labels = labelled(view, wanted)
    raw = _raw(view, wanted, has_labels)
    if has_labels is None:
        return raw, reversed_scores(raw, raw)
    raw[~has_labels] = 0
    normalised = reversed_scores(raw, raw[has_labels])
    normalised[~has_labels] = 0
    return raw, normalised


def _raw(view: View, wanted: Constraints, has_labels: Mask | None) -> Ints:
    total = _part(view, wanted.wanted[0], has_labels)
    for constraint in wanted.wanted[1:]:
        total += _part(view, constraint, has_labels)
    return rounded(total) if view.release.spread_rounds else total.astype(np.int64)


def _part_by_counts(view: View, constraint: SpreadConstraint) -> Part:
    """One constraint's part, where every node of the cluster has its label."""
    weight = math.log(_domains(view, constraint, None) + 2)
    extra = float(constraint.max_skew - 1)
    if constraint.key == HOSTNAME:
        return view.column(constraint.tally.per_node()), None, weight, extra
    return constraint.counts(), view.codes(constraint.column), weight, extra


def _part(view: View, constraint: SpreadConstraint, has_labels: Mask | None) -> Floats:
    """One constraint's part of the sum for each node of the view (float64)."""
    weight = math.log(_domains(view, constraint, has_labels) + 2)
    extra = float(constraint.max_skew - 1)
    complete = constraint.column.complete
    if constraint.key == HOSTNAME:
        counts = view.column(constraint.tally.per_node())
        part: Floats = np.multiply(counts, weight, dtype=np.float64)
        if extra:
            part += extra
        if not complete:
            part[~view.column(constraint.column.present)] = 0.0
        return part
    per_value = constraint.counts() * weight + extra
    if not complete:
        per_value[-1] = 0.0
    return view.by_label(constraint.column, per_value.astype(np.float64, copy=False))


def _domains(view: View, constraint: SpreadConstraint, has_labels: Mask | None) -> int:
    """The number of label values among the nodes scored; for hostnames, of those nodes."""
    if constraint.key == HOSTNAME:
        return view.size if has_labels is None else int(has_labels.sum())
    column = constraint.column
    if view.nodes is None and has_labels is None:
        return column.missing + (not column.complete)
    codes = view.codes(column)
    if has_labels is not None:
        codes = codes[has_labels]
    return int(np.count_nonzero(np.bincount(codes, minlength=1)))
