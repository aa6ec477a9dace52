"""SelectorSpread: few pods of the same service on the node, and in its zone.

SelectorSpreadPriority in the legacy names. Source: kubernetes selectorspread/selector_spread.go,
in float64 and in the same order of operations. Pods with topology spread constraints of their own
score 0 everywhere, as there.
"""

import numpy as np

from cnbench.scheduler.cluster import PodShape
from cnbench.scheduler.columns.arrays import Floats, Ints
from cnbench.scheduler.columns.exact import MAX_SCORE
from cnbench.scheduler.columns.node_labels import ZONE, LabelColumn
from cnbench.scheduler.columns.pod_sets import spread_query
from cnbench.scheduler.columns.tally import NodeTally
from cnbench.scheduler.model.selectors import LabelSelector
from cnbench.scheduler.view import View

NAME = "SelectorSpread"
ZONE_WEIGHT = 2.0 / 3.0


def scores(view: View, shape: PodShape) -> tuple[Ints, Ints]:
    """How many pods of the pod's services run on each node, and few of them as 0 .. 100 (int64).

    Returns:
        Running pods of the same namespace that the pod's spread_selector matches; and
        100 * (max - count) / max for the node, with zones a third of that and two of the zone's.
        The maxima are over the view; 100 where the maximum is 0; nodes without a zone count alone.
    """
    if shape.spec.topology_spread_constraints:
        return view.zeros(), view.zeros()
    tally = _tally(view, shape)
    raw = view.zeros() if tally is None else view.column(tally.per_node()).astype(np.int64)
    return raw, _normalised(view, raw)


def _normalised(view: View, raw: Ints) -> Ints:
    most = int(raw.max(initial=0))
    if most == 0:
        return np.full(view.size, MAX_SCORE, dtype=np.int64)
    node_score = _fewer_is_better(np.arange(most + 1), most)
    column = view.cluster.topology(ZONE)
    if not column.values:
        return node_score.astype(np.int64).take(raw)
    return _with_zones(view, column, node_score, raw)


def _with_zones(view: View, column: LabelColumn, node_score: Floats, raw: Ints) -> Ints:
    codes = view.codes(column)
    sums = np.bincount(codes, weights=raw, minlength=column.missing + 1)[:-1].astype(np.int64)
    zone_score = np.full(column.missing + 1, float(MAX_SCORE))
    if sums.max() > 0:
        zone_score[:-1] = _fewer_is_better(sums, int(sums.max()))
    score = (node_score * (1.0 - ZONE_WEIGHT)).take(raw)
    score += (ZONE_WEIGHT * zone_score).take(codes)
    if not column.complete:
        score = np.where(codes == column.missing, node_score.take(raw), score)
    return score.astype(np.int64)


def _fewer_is_better(counts: Ints, most: int) -> Floats:
    return MAX_SCORE * ((most - counts) / most)


def _tally(view: View, shape: PodShape) -> NodeTally | None:
    selector = shape.spec.spread_selector
    if not isinstance(selector, LabelSelector) or selector.empty:
        return None
    found = shape.compiled.get(NAME)
    if not isinstance(found, NodeTally):
        found = view.cluster.pod_sets.tally(spread_query(shape.spec.namespace, selector))
        shape.compiled[NAME] = found
    return found
