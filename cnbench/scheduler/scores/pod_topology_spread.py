"""PodTopologySpread with ScheduleAnyway. Source: kubernetes podtopologyspread/scoring.go.

Only the pod's own constraints score; Kubernetes' system defaults are SelectorSpread's job here.
"""

import math

import numpy as np

from cnbench.scheduler.arrays import Floats, Ints, Mask
from cnbench.scheduler.cluster import Shape
from cnbench.scheduler.exact import MAX_SCORE, by_table
from cnbench.scheduler.node_labels import HOSTNAME
from cnbench.scheduler.placement_rules import SCHEDULE_ANYWAY
from cnbench.scheduler.spread_domains import SpreadConstraint, constraints, labelled
from cnbench.scheduler.view import View

NAME = "PodTopologySpread"


def raw(view: View, shape: Shape) -> Ints:
    """Over the constraints the sum of count * ln(domains + 2) + (maxSkew - 1) (int64).

    Domains are the values the view's nodes have; nodes that lack a label score 0 and are left
    out. The sum is rounded half away from zero; before 1.24 truncated.
    """
    wanted = constraints(view, shape, SCHEDULE_ANYWAY)
    if not wanted:
        return view.zeros()
    has_labels = labelled(view, wanted)
    total = _part(view, wanted[0], has_labels)
    for constraint in wanted[1:]:
        total = total + _part(view, constraint, has_labels)
    scores = _rounded(total) if view.release.spread_rounds else total.astype(np.int64)
    if has_labels is not None:
        scores[~has_labels] = 0
    return scores


def normalised(view: View, shape: Shape, raw: Ints) -> Ints:
    """100 * (max + min - score) / max over nodes with all labels, 0 for the others (int64)."""
    wanted = constraints(view, shape, SCHEDULE_ANYWAY)
    if not wanted or not view.size:
        return view.zeros()
    has_labels = labelled(view, wanted)
    if has_labels is not None and not has_labels.any():
        return view.zeros()
    known = raw if has_labels is None else raw[has_labels]
    most, least = int(known.max()), int(known.min())
    if most == 0:
        scores = np.full(view.size, MAX_SCORE, dtype=np.int64)
    else:
        scores = by_table(raw, most, lambda s: MAX_SCORE * (most + least - s) // most)
    if has_labels is not None:
        scores[~has_labels] = 0
    return scores


def _part(view: View, constraint: SpreadConstraint, has_labels: Mask | None) -> Floats:
    """One constraint's part of the sum for each node of the view (float64)."""
    weight = math.log(_domains(view, constraint, has_labels) + 2)
    extra = float(constraint.max_skew - 1)
    if constraint.key == HOSTNAME:
        return view.column(constraint.tally.per_node()) * weight + extra
    per_value = constraint.counts() * weight + extra
    return view.by_label(constraint.column, per_value.astype(np.float64, copy=False))


def _domains(view: View, constraint: SpreadConstraint, has_labels: Mask | None) -> int:
    """The number of label values among the nodes scored; for hostnames, of those nodes."""
    if constraint.key == HOSTNAME:
        return view.size if has_labels is None else int(has_labels.sum())
    column = constraint.column
    if view.nodes is None and has_labels is None:
        return column.missing
    codes = view.codes(column)
    if has_labels is not None:
        codes = codes[has_labels]
    return int(np.count_nonzero(np.bincount(codes, minlength=1)))


def _rounded(values: Floats) -> Ints:
    """Go's math.Round of non-negative values: halves away from zero (numpy's go to even)."""
    nearest = np.rint(values)
    half = values - nearest == 0.5
    if half.any():
        nearest[half] += 1.0
    return nearest.astype(np.int64)
