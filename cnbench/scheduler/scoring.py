"""The scores by name, and their weighted sum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from cnbench.scheduler import loops
from cnbench.scheduler.cluster import PodShape
from cnbench.scheduler.columns.arrays import Ints
from cnbench.scheduler.scores import (
    balanced_allocation,
    image_locality,
    inter_pod_affinity,
    least_allocated,
    node_affinity,
    pod_topology_spread,
    requested_to_capacity_ratio,
    selector_spread,
    taint_toleration,
)
from cnbench.scheduler.view import View


class Scored(NamedTuple):
    """One plugin's scores for the nodes of a view (int64)."""

    raw: Ints
    normalised: Ints


class Arithmetic:
    """Computes any score by its name; the settings are the view's."""

    def score(self, name: str, view: View, shape: PodShape) -> Scored:
        """The scores of the plugin with this name."""
        return _BY_NAME[name](view, shape)


def _as_it_is(raw: Callable[[View, PodShape], Ints]) -> Callable[[View, PodShape], Scored]:
    """Scores that are 0 to 100 already."""

    def scored(view: View, shape: PodShape) -> Scored:
        scores = raw(view, shape)
        return Scored(scores, scores)

    return scored


def _normalised(
    scores: Callable[[View, PodShape], tuple[Ints, Ints]],
) -> Callable[[View, PodShape], Scored]:
    return lambda view, shape: Scored(*scores(view, shape))


_BY_NAME: Mapping[str, Callable[[View, PodShape], Scored]] = {
    least_allocated.LEAST: _as_it_is(least_allocated.least),
    least_allocated.MOST: _as_it_is(least_allocated.most),
    requested_to_capacity_ratio.NAME: _as_it_is(requested_to_capacity_ratio.raw),
    balanced_allocation.NAME: _as_it_is(balanced_allocation.raw),
    selector_spread.NAME: _normalised(selector_spread.scores),
    pod_topology_spread.NAME: _normalised(pod_topology_spread.scores),
    node_affinity.NAME: _normalised(node_affinity.scores),
    taint_toleration.NAME: _normalised(taint_toleration.scores),
    image_locality.NAME: _as_it_is(image_locality.raw),
    inter_pod_affinity.NAME: _normalised(inter_pod_affinity.scores),
}


class Total:
    """A weighted sum of scores, to which plugins' scores are added."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._scores: list[Ints] = []
        self._weights: list[int] = []

    def add(self, normalised: Ints, weight: int) -> None:
        """Add a plugin's normalised scores, which are left as they are."""
        if normalised is not self._view.no_score:
            self._scores.append(normalised)
            self._weights.append(weight)

    def sum(self) -> Ints:
        """The total (int64)."""
        return loops.weighted_sum(self._scores, self._weights, self._view.size)
