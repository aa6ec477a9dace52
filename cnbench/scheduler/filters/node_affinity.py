"""NodeAffinity: nodeSelector and required node affinity (MatchNodeSelector in the legacy names)."""

from __future__ import annotations

from cnbench.scheduler.cluster import PodShape
from cnbench.scheduler.columns.arrays import Mask
from cnbench.scheduler.eligibility import any_of, eligibility
from cnbench.scheduler.view import View

NAME = "NodeAffinity"
REASON = "node(s) didn't match the pod's node affinity or selector"


def feasible(view: View, shape: PodShape) -> Mask | None:
    """The nodes that match the selector and any of the required terms; None for all.

    Terms are ORed, a term's expressions ANDed; an empty term matches nothing, nor does one with a
    value that no label could have (component-helpers, nodeaffinity.go). The profile's added
    affinity is asked for as well. The answer depends on nodes and rules alone, so it is kept.
    """
    mask = eligibility(view.cluster, shape).required()
    added = _added(view)
    if mask is None or added is None:
        only = added if mask is None else mask
        return None if only is None else view.column(only)
    both: Mask = view.column(mask) & view.column(added)
    return both


def _added(view: View) -> Mask | None:
    """The nodes that the profile's added affinity admits; None for all."""
    required = view.settings.added_affinity.required
    if required is None:
        return None
    terms = tuple(required)
    key = ("terms", view.cluster.content(terms))
    return view.cluster.static.get(key, lambda: any_of(view.cluster, terms))
