"""What a pod's rules say of one node or of one other pod, in plain Python.

Written apart from the scheduler's columns, to check them: one object at a time, nothing kept, no
numpy. Of the rules only those that made-up clusters have are known: terms mean pods of the pod's
own namespace, and every node has the labels asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from cnbench.scheduler import (
        LabelSelector,
        Node,
        NodeSelectorTerm,
        Pod,
        PodAffinity,
        PodAffinityTerm,
        Requirement,
        TopologySpreadConstraint,
        WeightedPodAffinityTerm,
    )

Labels = Mapping[str, str]

_HARD = ("NoSchedule", "NoExecute")
_SOFT = "PreferNoSchedule"


def holds(requirement: Requirement, labels: Labels) -> bool:
    """Whether labels satisfy one expression."""
    value, values = labels.get(requirement.key), requirement.values
    match requirement.operator:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt":
            return value is not None and int(value) > int(values[0])
        case _:
            return value is not None and int(value) < int(values[0])


def selects(selector: LabelSelector | None, labels: Labels) -> bool:
    """Whether a selector means an object with these labels; without a selector, none."""
    return (
        selector is not None
        and all(labels.get(key) == value for key, value in selector.match_labels)
        and all(holds(requirement, labels) for requirement in selector.match_expressions)
    )


def term_matches(term: NodeSelectorTerm, node: Node) -> bool:
    """Whether a node satisfies all expressions of a term over labels."""
    return all(holds(requirement, node.labels) for requirement in term.match_expressions)


def admitted(pod: Pod, node: Node) -> bool:
    """Whether nodeSelector and required node affinity admit a node."""
    if any(node.labels.get(key) != value for key, value in pod.node_selector.items()):
        return False
    required = pod.node_affinity.required if pod.node_affinity else None
    return required is None or any(term_matches(term, node) for term in required)


def preferred_weight(pod: Pod, node: Node) -> int:
    """The weights of the preferred node terms that a node matches."""
    terms = pod.node_affinity.preferred if pod.node_affinity else ()
    return sum(term.weight for term in terms if term_matches(term.preference, node))


def tolerated(pod: Pod, node: Node) -> bool:
    """Whether every taint that keeps pods away is tolerated."""
    return all(
        any(toleration.tolerates(taint) for toleration in pod.tolerations)
        for taint in node.taints
        if taint.effect in _HARD
    )


def dislikes(pod: Pod, node: Node) -> int:
    """The taints that discourage pods and are not tolerated."""
    soft = [toleration for toleration in pod.tolerations if toleration.effect in ("", _SOFT)]
    return sum(
        taint.effect == _SOFT and not any(toleration.tolerates(taint) for toleration in soft)
        for taint in node.taints
    )


def required(affinity: PodAffinity | None) -> Iterable[PodAffinityTerm]:
    """The required terms of a pod's affinity or anti-affinity."""
    return affinity.required if affinity else ()


def preferred(pod: Pod) -> Iterator[tuple[int, WeightedPodAffinityTerm]]:
    """The preferred terms over other pods: to be near (1) and to stay away (-1)."""
    for sign, affinity in ((1, pod.pod_affinity), (-1, pod.pod_anti_affinity)):
        for weighted in affinity.preferred if affinity else ():
            yield sign, weighted


def selector_of(rule: PodAffinityTerm | TopologySpreadConstraint) -> LabelSelector | None:
    """The pods that a term or a constraint is about."""
    return as_given(rule.label_selector)


def as_given(selector: object) -> LabelSelector | None:
    """A selector, which the scheduler's objects have made one of whatever was given."""
    return cast("LabelSelector | None", selector)
