"""The plugins by name: today's names and their aliases.

Names follow the issue of the notes where kube-scheduler's configuration has several
(`LeastAllocated` is a strategy of NodeResourcesFit today and was the plugin
NodeResourcesLeastAllocated). What runs by default is in `profiles.py`.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from types import ModuleType
from typing import TypeVar

from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.filters import (
    inter_pod_affinity,
    node_affinity,
    node_name,
    node_ports,
    node_resources_fit,
    pod_topology_spread,
    scheduling_gates,
    taint_toleration,
    volume_binding,
    volume_zone,
)

Item = TypeVar("Item")

# Filters that every pod's rules concern; `scheduler-scoring` measures them.
_BY_RULES = (
    node_resources_fit,
    node_affinity,
    taint_toleration,
    inter_pod_affinity,
    pod_topology_spread,
)
# Filters with nothing to do unless a pod has the field they are about.
_BY_FIELD = (scheduling_gates, node_name, node_ports, volume_binding, volume_zone)

FILTER_MODULES: Mapping[str, ModuleType] = {
    module.NAME: module for module in (*_BY_RULES, *_BY_FIELD)
}
FILTERS = tuple(module.NAME for module in _BY_RULES)
FIELD_FILTERS = tuple(module.NAME for module in _BY_FIELD)

SCORES = (
    "LeastAllocated",
    "MostAllocated",
    "BalancedAllocation",
    "SelectorSpread",
    "PodTopologySpread",
    "NodeAffinity",
    "TaintToleration",
    "ImageLocality",
    "InterPodAffinity",
)
DEFAULT_SCORES = tuple(n for n in SCORES if n not in ("MostAllocated", "SelectorSpread"))
# Only a configuration can ask for this one, which needs settings.
RATIO = "RequestedToCapacityRatio"

FILTER_ALIASES: Mapping[str, str] = {
    "MatchNodeSelector": "NodeAffinity",
    "PodFitsResources": "NodeResourcesFit",
    "MatchInterPodAffinity": "InterPodAffinity",
    "PodToleratesNodeTaints": "TaintToleration",
    "EvenPodsSpread": "PodTopologySpread",
    "HostName": "NodeName",
    "PodFitsHostPorts": "NodePorts",
    "CheckVolumeBinding": "VolumeBinding",
    "NoVolumeZoneConflict": "VolumeZone",
}
SCORE_ALIASES: Mapping[str, str] = {
    "LeastRequestedPriority": "LeastAllocated",
    "NodeResourcesFit": "LeastAllocated",  # its default scoring strategy since 1.23
    "NodeResourcesLeastAllocated": "LeastAllocated",
    "MostRequestedPriority": "MostAllocated",
    "NodeResourcesMostAllocated": "MostAllocated",
    "BalancedResourceAllocation": "BalancedAllocation",
    "NodeResourcesBalancedAllocation": "BalancedAllocation",
    "SelectorSpreadPriority": "SelectorSpread",
    "EvenPodsSpreadPriority": "PodTopologySpread",
    "NodeAffinityPriority": "NodeAffinity",
    "TaintTolerationPriority": "TaintToleration",
    "ImageLocalityPriority": "ImageLocality",
    "InterPodAffinityPriority": "InterPodAffinity",
}


def filter_name(name: str) -> str:
    """The filter's name of today, from that or a legacy name.

    Raises:
        SchedulerInputError: there is no such filter.
    """
    return _resolve(name, FILTER_MODULES, FILTER_ALIASES, "filters")


def score_name(name: str) -> str:
    """The score's name of today, from that or a legacy name.

    Raises:
        SchedulerInputError: there is no such score.
    """
    return _resolve(name, (*SCORES, RATIO), SCORE_ALIASES, "scores")


def _resolve(name: str, known: Iterable[str], aliases: Mapping[str, str], field: str) -> str:
    if name in known:
        return name
    if name in aliases:
        return aliases[name]
    choices = [*known, *aliases]
    near = difflib.get_close_matches(name, choices, n=1)
    hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"
    raise SchedulerInputError("scheduler", field, f"unknown plugin {name!r}; {hint}")


class ByFilter(dict[str, Item]):
    """Results by filter; legacy names find them too."""

    def __missing__(self, name: str) -> Item:
        return self[_among(filter_name(name), self)]


class ByScore(dict[str, Item]):
    """Results by score; legacy names find them too."""

    def __missing__(self, name: str) -> Item:
        return self[_among(score_name(name), self)]


def _among(name: str, results: Collection[str]) -> str:
    if name in results:
        return name
    raise KeyError(f"{name} is not among the plugins that ran: {', '.join(results)}")
