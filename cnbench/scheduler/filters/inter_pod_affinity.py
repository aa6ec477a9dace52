"""InterPodAffinity: required affinity, anti-affinity, and the anti-affinity of pods already there.

MatchInterPodAffinity in the legacy names. Source: kubernetes interpodaffinity/filtering.go.
"""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from cnbench.scheduler import loops
from cnbench.scheduler.cluster import Cluster, PodShape
from cnbench.scheduler.columns.arrays import Mask
from cnbench.scheduler.columns.pod_sets import ANTI_AFFINITY, PodQuery, clause_of
from cnbench.scheduler.columns.tally import NodeTally
from cnbench.scheduler.view import View

NAME = "InterPodAffinity"
REASON = "node(s) didn't satisfy pod affinity or anti-affinity rules"


class RequiredTerms:
    """A shape's required terms with the tallies they need."""

    def __init__(self, cluster: Cluster, shape: PodShape) -> None:
        spec, sets = shape.spec, cluster.pod_sets
        near = tuple(spec.pod_affinity.required)
        # An existing pod counts towards affinity only if it matches all of the pod's terms.
        query = PodQuery(tuple(clause_of(term, spec) for term in near))
        self.near_columns = [
            cluster.topology(key) for key in dict.fromkeys([term.topology_key for term in near])
        ]
        self.near = sets.tally(query) if near else None
        # Wherever a pod runs, it is in some place then.
        self.placed_anywhere = any(column.complete for column in self.near_columns)
        self.self_match = bool(near) and sets.matches(query, shape.pods)
        self.away: list[tuple[str, NodeTally]] = [
            (term.topology_key, sets.tally(PodQuery((clause_of(term, spec),))))
            for term in spec.pod_anti_affinity.required
        ]


def feasible(view: View, shape: PodShape) -> Mask | None:
    """The nodes that satisfy all three rules; None for all."""
    terms = shape.compiled.get(NAME)
    if not isinstance(terms, RequiredTerms):
        terms = shape.compiled[NAME] = RequiredTerms(view.cluster, shape)
    held = view.cluster.pod_sets.held_about(shape.pods, ANTI_AFFINITY)
    repelled = [(key, tally) for key, tally in terms.away if tally.total]
    repelled += [(term.key.topology_key, term.tally) for term in held if term.tally.total]
    blocked = _blocked(view, repelled) if repelled else None
    attracted = None if terms.near is None else _attracted(view, terms, terms.near)
    if blocked is None:
        return attracted
    clear = np.logical_not(blocked, out=blocked)
    return clear if attracted is None else attracted & clear


def _blocked(view: View, repelled: Iterable[tuple[str, NodeTally]]) -> Mask | None:
    """The nodes in a place where a pod runs that repels ours or is repelled; None for none."""
    by_key: defaultdict[str, list[NodeTally]] = defaultdict(list)
    for key, tally in repelled:
        by_key[key].append(tally)
    blocked = None
    for key, tallies in by_key.items():
        column = view.cluster.topology(key)
        table = tallies[0].places(column)
        for tally in tallies[1:]:
            table |= tally.places(column)
        here = view.marked(column, table)
        blocked = here if blocked is None else np.logical_or(blocked, here, out=blocked)
    return blocked


def _attracted(view: View, terms: RequiredTerms, near: NodeTally) -> Mask:
    """The nodes that have, for every term, a matching pod in the same place.

    If there is no matching pod anywhere (on a node with one of the topology labels), a pod that
    matches its own terms may go to any node that has all the labels: the first of its kind.
    """
    places = [(column, near.places(column)) for column in terms.near_columns]
    there = near.total and (terms.placed_anywhere or any(table.any() for _, table in places))
    if terms.self_match and not there:
        for _, table in places:
            table[:-1] = True
    masks = [view.marked(column, table) for column, table in places]
    return masks[0] if len(masks) == 1 else loops.all_of(masks, view.size)
