"""InterPodAffinity: preferred terms, the pod's own and those of the pods already there.

InterPodAffinityPriority in the legacy names. Source: kubernetes interpodaffinity/scoring.go, the
normalisation in float64 and in the same order of operations.
"""

from collections.abc import Iterable

import numpy as np

from cnbench.scheduler.arrays import Ints
from cnbench.scheduler.cluster import Cluster, Shape
from cnbench.scheduler.exact import MAX_SCORE
from cnbench.scheduler.pod_sets import AFFINITY, PREFERENCE, PodQuery, clause_of
from cnbench.scheduler.tally import NodeTally
from cnbench.scheduler.view import View

NAME = "InterPodAffinity"

# Topology key, weight, and the pods that bring it to the place they run in.
Pull = tuple[str, int, NodeTally]


def raw(view: View, shape: Shape, hard_weight: int) -> Ints:
    """For each node the weights of all terms that speak for (or against) its places (int64).

    The pod's preferred terms count once for every pod they mean, in that pod's place; the
    preferred terms of placed pods that mean the pod count in theirs; so does `hard_weight` for
    each of their required affinity terms that mean the pod.
    """
    sets = view.cluster.pod_sets
    pulls = _own(view.cluster, shape) + [
        (term.key.topology_key, term.key.weight, term.tally)
        for term in sets.held_about(shape.pods, PREFERENCE)
    ]
    pulls += [
        (term.key.topology_key, hard_weight, term.tally)
        for term in sets.held_about(shape.pods, AFFINITY)
    ]
    total: Ints | None = None
    for key, table in _tables(view.cluster, pulls).items():
        table[-1] = 0  # Pods on nodes without the label pull nobody.
        here = view.by_label(view.cluster.topology(key), table)
        total = here if total is None else total + here
    return view.zeros() if total is None else total


def _tables(cluster: Cluster, pulls: Iterable[Pull]) -> dict[str, Ints]:
    """For each topology key the summed weights by label value; the last entry without label."""
    tables: dict[str, Ints] = {}
    for key, weight, tally in pulls:
        if tally.total and weight:
            column = cluster.topology(key)
            pull = weight * tally.per_value(column)
            tables[key] = tables[key] + pull if key in tables else pull
    return tables


def normalised(view: View, raw: Ints) -> Ints:
    """100 * (score - min) / (max - min), 0 where they are equal (int64).

    Before 1.22 a 0 counts among the scores whose minimum and maximum are taken.
    """
    if not view.size:
        return view.zeros()
    least, most = int(raw.min()), int(raw.max())
    if view.release.affinity_from_zero:
        least, most = min(least, 0), max(most, 0)
    if least == most:
        return view.zeros()
    share = np.subtract(raw, least, dtype=np.float64)
    share /= most - least
    share *= MAX_SCORE
    return share.astype(np.int64)


def _own(cluster: Cluster, shape: Shape) -> list[Pull]:
    found: object = shape.compiled.get("preferred")
    if not isinstance(found, list):
        spec = shape.spec
        found = list[Pull]()
        for sign, affinity in ((1, spec.pod_affinity), (-1, spec.pod_anti_affinity)):
            for preferred in affinity.preferred:
                query = PodQuery((clause_of(preferred.term, spec.namespace),))
                tally = cluster.pod_sets.tally(query)
                found.append((preferred.term.topology_key, sign * preferred.weight, tally))
        shape.compiled["preferred"] = found
    return found
