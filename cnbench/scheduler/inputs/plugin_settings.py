"""The plugins' settings in a KubeSchedulerConfiguration (a profile's pluginConfig)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cnbench.scheduler.inputs.kubernetes_rules import constraint, node_affinity
from cnbench.scheduler.inputs.object_reader import Reader
from cnbench.scheduler.plugins import RATIO
from cnbench.scheduler.settings import SYSTEM, Settings, Weights

_LEAST, _MOST = "LeastAllocated", "MostAllocated"
_LIST = "List"
_CONFIG = frozenset({"args", "name"})
# Settings of plugins that do not decide which node a pod goes to.
_WITHOUT_PART = ("DefaultPreemption", "DynamicResources", "VolumeBinding")
_MOST_UTILIZATION, _MOST_SCORE = 100, 10

Changes = dict[str, object]


def plugin_settings(given: Reader) -> tuple[Settings, str]:
    """The settings, and NodeResourcesFit's scoring strategy.

    Raises:
        SchedulerInputError: a setting is malformed, misspelt, or a plugin's that is not known.
    """
    changes: Changes = {}
    strategy = _LEAST
    for reader in given.items():
        name, args = reader.among(_CONFIG).field("name").text(), reader.field("args")
        if name == "NodeResourcesFit":
            strategy = args.field("scoringStrategy").field("type").text(_LEAST)
        if name in _READERS:
            fields, read = _READERS[name]
            changes.update(read(args.among(frozenset({*fields.split(), "apiVersion", "kind"}))))
        elif name not in _WITHOUT_PART:
            raise reader.field("name").problem(f"settings of {name!r} are not modelled")
    return Settings(**changes), strategy  # type: ignore[arg-type]


def _fit(args: Reader) -> Changes:
    changes: Changes = {
        "ignored_resources": frozenset(args.field("ignoredResources").texts()),
        "ignored_resource_groups": frozenset(args.field("ignoredResourceGroups").texts()),
    }
    strategy = args.field("scoringStrategy")
    strategy.among(frozenset({"requestedToCapacityRatio", "resources", "type"}))
    kind = strategy.field("type")
    if kind.text(_LEAST) not in (_LEAST, _MOST, RATIO):
        raise kind.problem(f"unknown strategy {kind.value!r}; use {_LEAST}, {_MOST} or {RATIO}")
    if strategy.field("resources").value:
        changes["resources"] = _weights(strategy.field("resources"))
    if kind.text() == RATIO:
        ratio = strategy.field("requestedToCapacityRatio").among(frozenset({"shape"}))
        changes["utilization_shape"] = _shape(ratio.field("shape"))
    return changes


def _ratio(args: Reader) -> Changes:
    changes: Changes = {"utilization_shape": _shape(args.field("shape"))}
    return changes | (_fit_resources(args) if args.field("resources").value else {})


def _fit_resources(args: Reader) -> Changes:
    return {"resources": _weights(args.field("resources"))} if args.field("resources").value else {}


def _balanced(args: Reader) -> Changes:
    given = args.field("resources")
    return {"balanced_resources": _weights(given)} if given.value else {}


def _inter_pod_affinity(args: Reader) -> Changes:
    weight = args.field("hardPodAffinityWeight")
    ignore = args.field("ignorePreferredTermsOfExistingPods")
    changes: Changes = {"ignore_existing_preferences": bool(ignore.value)}
    if weight.value is not None:
        if not 0 <= weight.whole() <= 100:
            raise weight.problem(f"{weight.value!r} must be from 0 to 100")
        changes["hard_pod_affinity_weight"] = weight.whole()
    return changes


def _node_affinity(args: Reader) -> Changes:
    affinity = node_affinity(args.field("addedAffinity"))
    affinity.check(args.where, f"{args.path}.addedAffinity")
    return {"added_affinity": affinity}


def _spread(args: Reader) -> Changes:
    kind, listed = args.field("defaultingType"), args.field("defaultConstraints")
    if kind.text(SYSTEM) not in (SYSTEM, _LIST):
        raise kind.problem(f"unknown value {kind.value!r}; use {SYSTEM} or {_LIST}")
    if kind.text(SYSTEM) == SYSTEM:
        if listed.value:
            raise listed.problem(f"is for defaultingType {_LIST} alone")
        return {"default_constraints": SYSTEM}
    constraints = tuple(constraint(item) for item in listed.items())
    for default, reader in zip(constraints, listed.items(), strict=True):
        if default.label_selector is not None:
            raise reader.field("labelSelector").problem("must be left out: it is the pod's own")
        default.check(reader.where, reader.path)
    return {"default_constraints": constraints}


def _weights(given: Reader) -> Weights:
    made = []
    for reader in given.items():
        weight = reader.among(frozenset({"name", "weight"})).field("weight")
        value = weight.whole() if weight.value else 1
        if not 1 <= value <= 100:
            raise weight.problem(f"{value} must be from 1 to 100")
        made.append((reader.field("name").text(), value))
    return tuple(made)


def _shape(given: Reader) -> tuple[tuple[int, int], ...]:
    points: list[tuple[int, int]] = []
    for reader in given.items():
        reader.among(frozenset({"score", "utilization"}))
        utilization, score = reader.field("utilization"), reader.field("score")
        # The API leaves out what is 0.
        at, value = utilization.value or 0, score.value or 0
        if type(at) is not int or not 0 <= at <= _MOST_UTILIZATION:
            raise utilization.problem(f"{at!r} must be an integer from 0 to {_MOST_UTILIZATION}")
        if type(value) is not int or not 0 <= value <= _MOST_SCORE:
            raise score.problem(f"{value!r} must be an integer from 0 to {_MOST_SCORE}")
        if points and at <= points[-1][0]:
            raise utilization.problem("must grow from point to point")
        points.append((at, value))
    if not points:
        raise given.problem("needs at least one point")
    return tuple(points)


_READERS: Mapping[str, tuple[str, Callable[[Reader], Changes]]] = {
    "NodeResourcesFit": ("ignoredResourceGroups ignoredResources scoringStrategy", _fit),
    "NodeResourcesLeastAllocated": ("resources", _fit_resources),
    "NodeResourcesMostAllocated": ("resources", _fit_resources),
    RATIO: ("resources shape", _ratio),
    "NodeResourcesBalancedAllocation": ("resources", _balanced),
    "InterPodAffinity": (
        "hardPodAffinityWeight ignorePreferredTermsOfExistingPods",
        _inter_pod_affinity,
    ),
    "NodeAffinity": ("addedAffinity", _node_affinity),
    "PodTopologySpread": ("defaultConstraints defaultingType", _spread),
}
