"""InterPodAffinity: preferred terms, the pod's own and those of the pods already there.

InterPodAffinityPriority in the legacy names. Source: kubernetes interpodaffinity/scoring.go, the
normalisation in float64 and in the same order of operations.
"""

from collections.abc import Iterable

from cnbench.scheduler import loops
from cnbench.scheduler.cluster import Cluster, PodShape
from cnbench.scheduler.columns.arrays import Ints
from cnbench.scheduler.columns.pod_sets import AFFINITY, PREFERENCE, PodQuery, clause_of
from cnbench.scheduler.columns.tally import NodeTally
from cnbench.scheduler.loops.by_numpy import Pull
from cnbench.scheduler.view import View

NAME = "InterPodAffinity"

# Topology key, weight, and the pods that bring it to the place they run in.
Attraction = tuple[str, int, NodeTally]


def scores(view: View, shape: PodShape) -> tuple[Ints, Ints]:
    """What speaks for (or against) each node's places, and that brought to 0 .. 100 (int64).

    The pod's preferred terms count once for every pod they mean, in that pod's place; the
    preferred terms of placed pods that mean the pod count in theirs; so does the hard weight of
    the settings for each of their required affinity terms that mean the pod. The settings may have
    a pod without preferred terms of its own left alone.

    Returns:
        The summed weights of all these, and 100 * (sum - min) / (max - min), 0 where they are
        equal. Before 1.22 a 0 counts among the sums whose minimum and maximum are taken.
    """
    sets, settings, own = view.cluster.pod_sets, view.settings, _own(view.cluster, shape)
    if settings.ignore_existing_preferences and not own:
        return view.zeros(), view.zeros()
    pulls = own + [
        (term.key.topology_key, term.key.weight, term.tally)
        for term in sets.held_about(shape.pods, PREFERENCE)
    ]
    pulls += [
        (term.key.topology_key, settings.hard_pod_affinity_weight, term.tally)
        for term in sets.held_about(shape.pods, AFFINITY)
    ]
    parts = _parts(view, pulls)
    if not parts or not view.size:
        return view.zeros(), view.zeros()
    raw = loops.pulled(parts, view.size)
    normalised = loops.between_extremes(raw, view.release.affinity_from_zero)
    return raw, view.zeros() if normalised is None else normalised


def _parts(view: View, pulls: Iterable[Attraction]) -> list[Pull]:
    """What each node's places are worth: by node, or summed by the values of a label."""
    parts: list[Pull] = []
    tables: dict[str, Ints] = {}
    for key, weight, tally in pulls:
        if not tally.total or not weight:
            continue
        column = view.cluster.topology(key)
        if column.identity:
            parts.append((view.column(tally.per_node()), None, weight, 0))
            continue
        pull = weight * tally.per_value(column)
        tables[key] = tables[key] + pull if key in tables else pull
    for key, table in tables.items():
        table[-1] = 0  # Pods on nodes without the label pull nobody.
        parts.append((table, view.codes(view.cluster.topology(key)), 1, 0))
    return parts


def _own(cluster: Cluster, shape: PodShape) -> list[Attraction]:
    found: object = shape.compiled.get("preferred")
    if not isinstance(found, list):
        spec = shape.spec
        found = list[Attraction]()
        for sign, affinity in ((1, spec.pod_affinity), (-1, spec.pod_anti_affinity)):
            for preferred in affinity.preferred:
                query = PodQuery((clause_of(preferred.term, spec),))
                tally = cluster.pod_sets.tally(query)
                found.append((preferred.term.topology_key, sign * preferred.weight, tally))
        shape.compiled["preferred"] = found
    return found
