"""Nodes as a caller names them (a mask, numbers or names), and as numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnbench.scheduler.cluster import Cluster
from cnbench.scheduler.columns.arrays import Codes, Mask
from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.results import FilterResult

Selection = Mask | Sequence[int] | Sequence[str] | FilterResult | None


def numbers_of(cluster: Cluster, nodes: Selection) -> Codes | None:
    """The numbers of the nodes named; None for all of them in the cluster's order.

    Raises:
        SchedulerInputError: the mask is not of all nodes, or a number is none of a node.
        UnknownNodeError: there is no node of a name.
    """
    if nodes is None:
        return None
    given = np.asarray(nodes)
    if given.ndim == 1 and not len(given):
        return np.empty(0, dtype=np.intp)
    if given.dtype == np.bool_:
        if len(given) != len(cluster):
            problem = f"the mask has {len(given)} entries, the cluster {len(cluster)}"
            raise SchedulerInputError("score", "nodes", problem)
        return None if given.all() else given.nonzero()[0]
    if given.dtype.kind == "U":
        return np.array([cluster.node_number(name) for name in given.tolist()])
    if given.ndim != 1 or not np.issubdtype(given.dtype, np.integer):
        problem = "must be a mask over all nodes, or numbers or names of nodes"
        raise SchedulerInputError("score", "nodes", problem)
    if given.min() < 0 or given.max() >= len(cluster):
        problem = f"the numbers must be from 0 to {len(cluster) - 1}"
        raise SchedulerInputError("score", "nodes", problem)
    return given.astype(np.intp)
