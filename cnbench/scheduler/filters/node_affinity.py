"""NodeAffinity: nodeSelector and required node affinity (MatchNodeSelector in the legacy names)."""

from cnbench.scheduler.cluster import Shape
from cnbench.scheduler.columns.arrays import Mask
from cnbench.scheduler.eligibility import eligibility
from cnbench.scheduler.view import View

NAME = "NodeAffinity"
REASON = "node(s) didn't match the pod's node affinity or selector"


def feasible(view: View, shape: Shape) -> Mask | None:
    """The nodes that match the selector and any of the required terms; None for all.

    Terms are ORed, a term's expressions ANDed; an empty term matches nothing (component-helpers,
    nodeaffinity.go). The answer depends on nodes and spec alone, so it is kept.
    """
    mask = eligibility(view.cluster, shape).required()
    return None if mask is None else view.column(mask)
