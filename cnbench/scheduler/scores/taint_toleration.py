"""TaintToleration: fewer PreferNoSchedule taints that the pod does not tolerate are better."""

from cnbench.scheduler.arrays import Ints
from cnbench.scheduler.cluster import Shape
from cnbench.scheduler.eligibility import eligibility
from cnbench.scheduler.view import View

NAME = "TaintToleration"


def raw(view: View, shape: Shape) -> Ints:
    """The number of such taints (int64), kept per spec."""
    dislikes = eligibility(view.cluster, shape).dislikes()
    return view.zeros() if dislikes is None else view.column(dislikes)
