"""NodeAffinity: the preferred terms a node matches (NodeAffinityPriority in the legacy names)."""

from cnbench.scheduler.arrays import Ints
from cnbench.scheduler.cluster import Shape
from cnbench.scheduler.eligibility import eligibility
from cnbench.scheduler.view import View

NAME = "NodeAffinity"


def raw(view: View, shape: Shape) -> Ints:
    """The sum of the weights of the preferred terms that match (int64), kept per spec."""
    preference = eligibility(view.cluster, shape).preference()
    return view.zeros() if preference is None else view.column(preference)
