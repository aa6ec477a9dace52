"""The scores by name, with the settings they depend on."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from cnbench.scheduler.cluster import Shape
from cnbench.scheduler.columns.arrays import Ints
from cnbench.scheduler.scores import (
    balanced_allocation,
    image_locality,
    inter_pod_affinity,
    least_allocated,
    node_affinity,
    pod_topology_spread,
    selector_spread,
    taint_toleration,
)
from cnbench.scheduler.view import View


class Scored(NamedTuple):
    """One plugin's scores for the nodes of a view (int64)."""

    raw: Ints
    normalised: Ints


class Arithmetic:
    """Computes any score under one set of settings."""

    def __init__(self, resources: Sequence[tuple[str, int]], hard_affinity_weight: int) -> None:
        self._resources = resources
        self._hard_affinity_weight = hard_affinity_weight
        self._by_name: dict[str, Callable[[View, Shape], Scored]] = {
            least_allocated.LEAST: self._least_allocated,
            least_allocated.MOST: self._most_allocated,
            balanced_allocation.NAME: self._balanced_allocation,
            selector_spread.NAME: self._selector_spread,
            pod_topology_spread.NAME: self._pod_topology_spread,
            node_affinity.NAME: self._node_affinity,
            taint_toleration.NAME: self._taint_toleration,
            image_locality.NAME: self._image_locality,
            inter_pod_affinity.NAME: self._inter_pod_affinity,
        }

    def score(self, name: str, view: View, shape: Shape) -> Scored:
        """The scores of the plugin with this name."""
        return self._by_name[name](view, shape)

    def _least_allocated(self, view: View, shape: Shape) -> Scored:
        return _as_it_is(least_allocated.least(view, shape, self._resources))

    def _most_allocated(self, view: View, shape: Shape) -> Scored:
        return _as_it_is(least_allocated.most(view, shape, self._resources))

    def _balanced_allocation(self, view: View, shape: Shape) -> Scored:
        return _as_it_is(balanced_allocation.raw(view, shape, self._resources))

    def _image_locality(self, view: View, shape: Shape) -> Scored:
        return _as_it_is(image_locality.raw(view, shape))

    def _selector_spread(self, view: View, shape: Shape) -> Scored:
        return Scored(*selector_spread.scores(view, shape))

    def _pod_topology_spread(self, view: View, shape: Shape) -> Scored:
        return Scored(*pod_topology_spread.scores(view, shape))

    def _node_affinity(self, view: View, shape: Shape) -> Scored:
        return Scored(*node_affinity.scores(view, shape))

    def _taint_toleration(self, view: View, shape: Shape) -> Scored:
        return Scored(*taint_toleration.scores(view, shape))

    def _inter_pod_affinity(self, view: View, shape: Shape) -> Scored:
        return Scored(*inter_pod_affinity.scores(view, shape, self._hard_affinity_weight))


def _as_it_is(raw: Ints) -> Scored:
    """Scores that are 0 to 100 already."""
    return Scored(raw, raw)


class Total:
    """A weighted sum of scores, added up plugin by plugin while their arrays are in the cache.

    Scores of the same weight are summed first, and multiplied once.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        # By weight the first scores, or the sum of several and whether it is an array of our own.
        self._by_weight: dict[int, tuple[Ints, bool]] = {}

    def add(self, normalised: Ints, weight: int) -> None:
        """Add a plugin's normalised scores, which are left as they are."""
        if normalised is self._view.no_score:
            return
        so_far, own = self._by_weight.get(weight, (None, False))
        if so_far is None:
            self._by_weight[weight] = normalised, False
        else:
            self._by_weight[weight] = np.add(so_far, normalised, out=so_far if own else None), True

    def sum(self) -> Ints:
        """The total (int64); to be asked for once, after the last plugin."""
        total: Ints | None = None
        for weight, (scores, own) in sorted(self._by_weight.items(), key=lambda item: item[0]):
            if weight == 1:
                total = scores if own else scores.copy()
                continue
            weighted = np.multiply(scores, weight, out=scores if own else None)
            total = weighted if total is None else np.add(total, weighted, out=total)
        return np.zeros(self._view.size, dtype=np.int64) if total is None else total
