"""NodeResourcesFit: what the pod requests is free (PodFitsResources in the legacy names)."""

import numpy as np

from cnbench.scheduler.cluster import Shape
from cnbench.scheduler.columns.arrays import Mask
from cnbench.scheduler.columns.resources import rows_of
from cnbench.scheduler.view import View

NAME = "NodeResourcesFit"
REASON = "Insufficient resources"


def feasible(view: View, shape: Shape) -> Mask:
    """The nodes with room for one more pod and for every resource it requests.

    A resource requested with 0 is not looked at, so it fits on a node that is overcommitted
    (kubernetes noderesources/fit.go, fitsRequest).
    """
    demand = shape.demand
    if demand.unknown:
        return view.everywhere(False)
    free = view.columns(rows_of(view.cluster.resources.free, demand.rows))
    fits: Mask = np.logical_and.reduce(np.greater_equal(free, demand.amounts))
    return fits


def lacking(view: View, shape: Shape, node: int) -> list[str]:
    """The resources of which this node has too little for the pod."""
    resources = view.cluster.resources
    short = [
        name
        for name, row in resources.rows.items()
        for asked_row, amount in shape.demand.by_row
        if row == asked_row and resources.free[row, node] < amount
    ]
    return [*short, *shape.demand.unknown]
