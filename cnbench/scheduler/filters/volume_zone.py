"""VolumeZone: nodes with a zone or region must have that of the pod's volumes.

NoVolumeZoneConflict in the legacy names. Source: kubernetes volumezone/volume_zone.go.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from cnbench.scheduler.cluster import Cluster, PodShape
from cnbench.scheduler.columns.arrays import Mask
from cnbench.scheduler.columns.node_labels import REGION_KEYS, ZONE_KEYS
from cnbench.scheduler.model.attachments import ZoneRule
from cnbench.scheduler.view import View

NAME = "VolumeZone"
REASON = "node(s) had no available volume zone"

_OF_TODAY = {ZONE_KEYS[0]: ZONE_KEYS[1], REGION_KEYS[0]: REGION_KEYS[1]}


def feasible(view: View, shape: PodShape) -> Mask | None:
    """The nodes in the zones and regions of all volumes; None for all.

    A node without any zone or region label may have every volume. A volume's deprecated label is
    also satisfied by the node's label of today.
    """
    rules = tuple(rule for volume in shape.spec.volumes for rule in volume.zones)
    if not rules:
        return None
    key = (NAME, view.cluster.content(rules))
    mask: Mask = view.cluster.static.get(key, partial(_admitted, view.cluster, rules))
    return view.column(mask)


def _admitted(cluster: Cluster, rules: tuple[ZoneRule, ...]) -> Mask:
    admitted = np.ones(len(cluster), dtype=bool)
    for rule in rules:
        here = _has_one_of(cluster, rule.key, rule)
        today = _OF_TODAY.get(rule.key)
        if today is not None:
            absent = ~cluster.topology(rule.key).present
            here |= absent & _has_one_of(cluster, today, rule)
        admitted &= here
    labelled = np.zeros(len(cluster), dtype=bool)
    for key in (*ZONE_KEYS, *REGION_KEYS):
        labelled |= cluster.topology(key).present
    result: Mask = admitted | ~labelled
    return result


def _has_one_of(cluster: Cluster, key: str, rule: ZoneRule) -> Mask:
    column = cluster.topology(key)
    wanted = np.array([value in rule.values for value in column.values] + [False])
    mask: Mask = wanted.take(column.codes)
    return mask
