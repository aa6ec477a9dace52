"""SchedulingGates: a pod with gates waits until they are taken away; no node is sought for it."""

from __future__ import annotations

from cnbench.scheduler.cluster import PodShape
from cnbench.scheduler.columns.arrays import Mask
from cnbench.scheduler.view import View

NAME = "SchedulingGates"
REASON = "the pod waits for its scheduling gates"


def feasible(view: View, shape: PodShape) -> Mask | None:
    """No node for a pod with gates, and None (all nodes) without; gates are heeded since 1.27."""
    waits = shape.spec.scheduling_gates and view.release.scheduling_gates
    return view.everywhere(False) if waits else None


def detail(view: View, shape: PodShape, node: int) -> str:
    """The gates."""
    return ", ".join(shape.spec.scheduling_gates)
