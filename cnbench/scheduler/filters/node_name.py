"""NodeName: a pod that names its node goes there or nowhere."""

from __future__ import annotations

from cnbench.scheduler.cluster import PodShape
from cnbench.scheduler.columns.arrays import Mask
from cnbench.scheduler.view import View

NAME = "NodeName"
REASON = "node(s) didn't match the requested node name"


def feasible(view: View, shape: PodShape) -> Mask | None:
    """The node that spec.nodeName names; None (all of them) where it names none."""
    name = shape.spec.node_name
    if not name:
        return None
    named = view.everywhere(False)
    for number in view.cluster.numbers_of(name):
        place = view.place_of(number)
        if place is not None:
            named[place] = True
    return named
