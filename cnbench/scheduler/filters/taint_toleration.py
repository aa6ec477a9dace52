"""TaintToleration: no NoSchedule or NoExecute taint that the pod does not tolerate."""

from cnbench.scheduler.cluster import PodShape
from cnbench.scheduler.columns.arrays import Mask
from cnbench.scheduler.eligibility import eligibility
from cnbench.scheduler.view import View

NAME = "TaintToleration"
REASON = "node(s) had untolerated taints"


def feasible(view: View, shape: PodShape) -> Mask | None:
    """The nodes whose taints are tolerated; None for all. Kept, like node affinity."""
    mask = eligibility(view.cluster, shape).tolerated()
    return None if mask is None else view.column(mask)
