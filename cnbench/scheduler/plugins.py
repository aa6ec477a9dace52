"""The plugins by name: today's names, their aliases and default weights.

Names follow the issue of the notes where kube-scheduler's configuration has several
(`LeastAllocated` is a strategy of NodeResourcesFit today and was the plugin
NodeResourcesLeastAllocated). Default weights are those of kube-scheduler since 1.23.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import TypeVar

from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.filters import (
    inter_pod_affinity,
    node_affinity,
    node_resources_fit,
    pod_topology_spread,
    taint_toleration,
)

Item = TypeVar("Item")

FILTER_MODULES: Mapping[str, ModuleType] = {
    module.NAME: module
    for module in (
        node_resources_fit,
        node_affinity,
        taint_toleration,
        inter_pod_affinity,
        pod_topology_spread,
    )
}
FILTERS = tuple(FILTER_MODULES)

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
DEFAULT_SCORES = tuple(name for name in SCORES if name != "MostAllocated")
DEFAULT_WEIGHTS: Mapping[str, int] = {
    **dict.fromkeys(SCORES, 1),
    "TaintToleration": 3,
    "NodeAffinity": 2,
    "PodTopologySpread": 2,
    "InterPodAffinity": 2,
}

FILTER_ALIASES: Mapping[str, str] = {
    "MatchNodeSelector": "NodeAffinity",
    "PodFitsResources": "NodeResourcesFit",
    "MatchInterPodAffinity": "InterPodAffinity",
    "PodToleratesNodeTaints": "TaintToleration",
    "EvenPodsSpread": "PodTopologySpread",
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
    return _resolve(name, FILTERS, FILTER_ALIASES, "filters")


def score_name(name: str) -> str:
    """The score's name of today, from that or a legacy name.

    Raises:
        SchedulerInputError: there is no such score.
    """
    return _resolve(name, SCORES, SCORE_ALIASES, "scores")


def _resolve(name: str, known: Iterable[str], aliases: Mapping[str, str], field: str) -> str:
    if name in known:
        return name
    if name in aliases:
        return aliases[name]
    choices = [*known, *aliases]
    near = difflib.get_close_matches(name, choices, n=1)
    hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"
    raise SchedulerInputError("scheduler", field, f"unknown plugin {name!r}; {hint}")


class ByPlugin(dict[str, Item]):
    """Results by plugin; legacy names find them too."""

    def __init__(self, items: Mapping[str, Item], resolve: Callable[[str], str]) -> None:
        super().__init__(items)
        self._resolve = resolve

    def __missing__(self, name: str) -> Item:
        resolved = self._resolve(name)
        if resolved in self:
            return self[resolved]
        raise KeyError(f"{resolved} is not among the plugins that ran: {', '.join(self)}")
