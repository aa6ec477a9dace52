"""VolumeBinding: the node affinity of the volumes that the pod's claims are bound to.

Only what bound claims demand is modelled: claims still to be bound are in docs/scheduler.md.
"""

from __future__ import annotations

from functools import partial

from cnbench.scheduler.cluster import PodShape
from cnbench.scheduler.columns.arrays import Mask
from cnbench.scheduler.eligibility import any_of
from cnbench.scheduler.view import View

NAME = "VolumeBinding"
REASON = "node(s) can't use the pod's volumes"


def feasible(view: View, shape: PodShape) -> Mask | None:
    """The nodes that every bound volume's node affinity admits; None for all.

    Where a claim is missing, or waits to be bound before a node is sought, no node will do
    (kubernetes volumebinding/volume_binding.go).
    """
    fits = None
    for volume in shape.spec.volumes:
        if volume.problem:
            return view.everywhere(False)
        if volume.required is not None:
            terms = tuple(volume.required)
            key = ("terms", view.cluster.content(terms))
            here = view.cluster.static.get(key, partial(any_of, view.cluster, terms))
            fits = here if fits is None else fits & here
    return None if fits is None else view.column(fits)


def detail(view: View, shape: PodShape, node: int) -> str:
    """The claims to blame."""
    problems = [f"{v.claim}: {v.problem}" for v in shape.spec.volumes if v.problem]
    return "; ".join(problems or [v.claim for v in shape.spec.volumes if v.required is not None])
