"""The resources a pod is scored by, prepared once for each shape."""

from __future__ import annotations

import numpy as np

from cnbench.scheduler.cluster import PodShape
from cnbench.scheduler.columns.arrays import Floats
from cnbench.scheduler.columns.resources import NATIVE, PERCENT, Demand, Resources, rows_of
from cnbench.scheduler.settings import Weights
from cnbench.scheduler.view import View


class ResourceShares:
    """The resources that take part for one shape, as rows of the cluster's matrices.

    An extended resource that the pod does not request takes no part, nor does one that no node has.

    Args:
        resources: the cluster's.
        demand: the pod's.
        weights: the resources looked at.
        all_of_them: whether those take part too that the pod does not request.

    Attributes:
        rows: their rows.
        weights: a column: (rows, 1).
        weight_sum: their sum.
        scored: a hundred times what the pod is scored by, a column.
        requested: what it requests, a column.
        lacking: whether some node has none of one of them.
    """

    def __init__(
        self, resources: Resources, demand: Demand, weights: Weights, *, all_of_them: bool
    ) -> None:
        known, arriving, balanced = resources.rows, demand.arriving(), demand.balanced()
        rows: list[int] = []
        amounts: list[float] = []
        for name, weight in weights:
            if name in known and (all_of_them or name in NATIVE or arriving.get(name)):
                rows.append(known[name])
                amounts += (weight, PERCENT * arriving.get(name, 0), balanced.get(name, 0))
        self.rows = tuple(rows)
        columns = np.array(amounts, dtype=np.float64).reshape(len(rows), 3, 1)
        self.weights, self.scored, self.requested = columns.transpose(1, 0, 2).copy()
        self.weight_sum = float(sum(amounts[::3]))
        self.lacking = any(resources.lacking[row] for row in self.rows)

    def of(self, view: View, matrix: Floats) -> Floats:
        """The selected nodes' entries of a matrix for these resources: (rows, nodes)."""
        return view.columns(rows_of(matrix, self.rows))


def resource_shares(
    view: View, shape: PodShape, weights: Weights, *, all_of_them: bool = False
) -> ResourceShares:
    """The shape's resources under these weights, prepared once.

    Args:
        view: the nodes scored.
        shape: the pod's shape.
        weights: the resources looked at.
        all_of_them: whether those take part too that the pod does not request.
    """
    demand = shape.demand(view.release.minor)
    key = ("resources", weights, all_of_them, demand)
    found = shape.compiled.get(key)
    if not isinstance(found, ResourceShares):
        found = ResourceShares(view.resources, demand, weights, all_of_them=all_of_them)
        shape.compiled[key] = found
    return found
