"""Which plugins a KubeSchedulerConfiguration enables and disables, and with what weights."""

from __future__ import annotations

import difflib

from cnbench.scheduler.inputs.object_reader import Reader
from cnbench.scheduler.plugins import FIELD_FILTERS, FILTERS, RATIO
from cnbench.scheduler.profiles import default_weights
from cnbench.scheduler.releases import KubernetesRelease

FIT = "NodeResourcesFit"
_LEAST = "LeastAllocated"

# Here's names of scores by the configuration's, but for NodeResourcesFit's, whose strategy decides.
_SCORES = {
    "NodeResourcesLeastAllocated": _LEAST,
    "NodeResourcesMostAllocated": "MostAllocated",
    RATIO: RATIO,
    "NodeResourcesBalancedAllocation": "BalancedAllocation",
    "ImageLocality": "ImageLocality",
    "InterPodAffinity": "InterPodAffinity",
    "NodeAffinity": "NodeAffinity",
    "PodTopologySpread": "PodTopologySpread",
    "SelectorSpread": "SelectorSpread",
    "TaintToleration": "TaintToleration",
}
# Kubernetes' own plugins that nothing here stands for: to disable them changes nothing.
_NOT_MODELLED = {
    "AzureDiskLimits",
    "CinderLimits",
    "DefaultBinder",
    "DefaultPreemption",
    "DynamicResources",
    "EBSLimits",
    "GCEPDLimits",
    "GangScheduling",
    "NodeDeclaredFeatures",
    "NodePreferAvoidPods",
    "NodeUnschedulable",
    "NodeVolumeLimits",
    "PrioritySort",
    "VolumeRestrictions",
}
_ALL = "*"
_DECIDING = {"filter", "multiPoint", "preEnqueue", "preFilter", "preScore", "score"}
_OTHERS = {"bind", "permit", "postBind", "postFilter", "preBind", "queueSort", "reserve"}
_POINTS = frozenset(_DECIDING | _OTHERS)
_SETS = frozenset({"disabled", "enabled"})
_PLUGIN = frozenset({"name", "weight"})
_KNOWN = {*FILTERS, *FIELD_FILTERS, *_SCORES, FIT, *_NOT_MODELLED}
_OLD_WEIGHTS = ("v1beta1", "v1beta2")


def enabled_plugins(
    plugins: Reader, release: KubernetesRelease, version: str, strategy: str
) -> tuple[tuple[str, ...], dict[str, int]]:
    """The filters, and the scores with their weights.

    Args:
        plugins: a profile's plugins.
        release: the release that reads them.
        version: the version of the configuration's format, which brings its own default weights.
        strategy: NodeResourcesFit's scoring strategy.

    Raises:
        SchedulerInputError: a plugin is not known, not modelled, or has no part to play.
    """
    plugins.among(_POINTS)
    of_format = (
        KubernetesRelease(22)
        if version in _OLD_WEIGHTS
        else KubernetesRelease(max(release.minor, 23))
    )
    weights = default_weights(of_format)
    if strategy != _LEAST:
        weights = {strategy if name == _LEAST else name: weight for name, weight in weights.items()}
    filters = dict.fromkeys((*FILTERS, *FIELD_FILTERS))
    for point in ("multiPoint", "filter", "score"):
        sets = plugins.field(point).among(_SETS)
        for plugin in sets.field("disabled").items():
            name = _name(plugin, release)
            if point != "score":
                _drop(filters, name, name)
            if point != "filter":
                _drop(weights, name, _score(name, strategy))
        for plugin in sets.field("enabled").items():
            name = _name(plugin, release)
            if name in _NOT_MODELLED or name == _ALL:
                raise plugin.problem(f"the plugin {name} is not modelled")
            if point != "score" and name in (*FILTERS, *FIELD_FILTERS):
                filters[name] = None
            if point != "filter" and _score(name, strategy):
                weights[_score(name, strategy)] = _weight(plugin)
    for point in ("preFilter", "preScore", "preEnqueue"):
        _refuse_half(plugins.field(point), filters, weights, strategy)
    return tuple(filters), weights


def _score(name: str, strategy: str) -> str:
    return strategy if name == FIT else _SCORES.get(name, "")


def _drop(kept: dict[str, None] | dict[str, int], name: str, here: str) -> None:
    if name == _ALL:
        kept.clear()
    else:
        kept.pop(here, None)


def _weight(plugin: Reader) -> int:
    weight = plugin.field("weight")
    return weight.whole() if weight.value else 1


def _name(plugin: Reader, release: KubernetesRelease) -> str:
    name = plugin.among(_PLUGIN).field("name").text()
    if name == "SelectorSpread" and not release.has_selector_spread:
        raise plugin.problem(f"{release} has no SelectorSpread; it was taken out in 1.29")
    if name != _ALL and name not in _KNOWN:
        near = difflib.get_close_matches(name, _KNOWN, n=1, cutoff=0.8)
        hint = f"did you mean {near[0]}?" if near else "plugins of others are not modelled"
        raise plugin.problem(f"unknown plugin {name!r}; {hint}")
    return name


def _refuse_half(
    sets: Reader, filters: dict[str, None], weights: dict[str, int], strategy: str
) -> None:
    """What prepares a filter or a score cannot be taken from it alone, nor be there alone."""
    for plugin in sets.among(_SETS).field("disabled").items():
        name = plugin.field("name").text()
        kept = {*filters, *weights} if name == _ALL else {name, _score(name, strategy)}
        if kept & {*filters, *weights}:
            raise plugin.problem("disable the whole plugin; a part of it alone is not modelled")
