"""NodeAffinity: the preferred terms a node matches (NodeAffinityPriority in the legacy names)."""

from cnbench.scheduler.cluster import PodShape
from cnbench.scheduler.columns.arrays import Ints
from cnbench.scheduler.eligibility import eligibility
from cnbench.scheduler.view import View

NAME = "NodeAffinity"


def scores(view: View, shape: PodShape) -> tuple[Ints, Ints]:
    """The sum of the weights of the preferred terms that match, and 100 * that / highest (int64).

    The profile's added affinity counts with the pod's own.

    Both are kept per spec where all nodes are scored; 0 everywhere if no term matches anywhere.
    """
    added = tuple(view.settings.added_affinity.preferred)
    preference = eligibility(view.cluster, shape).preference(added)
    return (view.zeros(), view.zeros()) if preference is None else preference.of(view)
