"""InterPodAffinity: preferred terms, the pod's own and those of the pods already there.

InterPodAffinityPriority in the legacy names. Source: kubernetes interpodaffinity/scoring.go, the
normalisation in float64 and in the same order of operations.
"""

from collections.abc import Iterable
from functools import partial

import numpy as np

from cnbench.scheduler.cluster import Cluster, PodShape
from cnbench.scheduler.columns.arrays import Ints
from cnbench.scheduler.columns.exact import MAX_SCORE, by_table, whole
from cnbench.scheduler.columns.pod_sets import AFFINITY, PREFERENCE, PodQuery, clause_of
from cnbench.scheduler.columns.tally import NodeTally
from cnbench.scheduler.view import View

NAME = "InterPodAffinity"

# Topology key, weight, and the pods that bring it to the place they run in.
Pull = tuple[str, int, NodeTally]


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
    raw: Ints | None = None
    for key, table in _tables(view.cluster, pulls).items():
        table[-1] = 0  # Pods on nodes without the label pull nobody.
        here = view.by_label(view.cluster.topology(key), table)
        raw = here if raw is None else raw + here
    if raw is None or not view.size:
        return view.zeros(), view.zeros()
    return raw, _normalised(view, raw)


def _tables(cluster: Cluster, pulls: Iterable[Pull]) -> dict[str, Ints]:
    """For each topology key the summed weights by label value; the last entry without label."""
    tables: dict[str, Ints] = {}
    for key, weight, tally in pulls:
        if tally.total and weight:
            column = cluster.topology(key)
            pull = weight * tally.per_value(column)
            tables[key] = tables[key] + pull if key in tables else pull
    return tables


def _normalised(view: View, raw: Ints) -> Ints:
    least, most = int(raw.min()), int(raw.max())
    if view.release.affinity_from_zero:
        least, most = min(least, 0), max(most, 0)
    if least == most:
        return view.zeros()
    return by_table(raw - least, most - least, partial(_share, most - least))


def _share(span: int, above_least: Ints) -> Ints:
    share = above_least.astype(np.float64)
    share /= span
    share *= MAX_SCORE
    return whole(share)


def _own(cluster: Cluster, shape: PodShape) -> list[Pull]:
    found: object = shape.compiled.get("preferred")
    if not isinstance(found, list):
        spec = shape.spec
        found = list[Pull]()
        for sign, affinity in ((1, spec.pod_affinity), (-1, spec.pod_anti_affinity)):
            for preferred in affinity.preferred:
                query = PodQuery((clause_of(preferred.term, spec),))
                tally = cluster.pod_sets.tally(query)
                found.append((preferred.term.topology_key, sign * preferred.weight, tally))
        shape.compiled["preferred"] = found
    return found
