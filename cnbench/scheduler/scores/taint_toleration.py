"""TaintToleration: fewer PreferNoSchedule taints that the pod does not tolerate are better."""

import numpy as np

from cnbench.scheduler.cluster import PodShape
from cnbench.scheduler.columns.arrays import Ints
from cnbench.scheduler.columns.exact import MAX_SCORE
from cnbench.scheduler.eligibility import eligibility
from cnbench.scheduler.view import View

NAME = "TaintToleration"


def scores(view: View, shape: PodShape) -> tuple[Ints, Ints]:
    """The number of such taints, and 100 - 100 * that / highest (int64).

    Both are kept per spec where all nodes are scored; 100 everywhere if there are none.
    """
    dislikes = eligibility(view.cluster, shape).dislikes()
    if dislikes is None:
        return view.zeros(), np.full(view.size, MAX_SCORE, dtype=np.int64)
    return dislikes.of(view)
