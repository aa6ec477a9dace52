"""The rules a pod carries about nodes by label, named after Kubernetes' fields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.model import checks
from cnbench.scheduler.model.selectors import NODE_OPERATORS, Requirement

NAME_FIELD = "metadata.name"


@dataclass(frozen=True, slots=True)
class NodeSelectorTerm:
    """Expressions over labels and over `metadata.name`, all ANDed; an empty term matches none."""

    match_expressions: Iterable[Requirement] = ()
    match_fields: Iterable[Requirement] = ()
    # Found out once: whoever asks about the pod's replicas asks again and again.
    _possible: bool | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "match_expressions", checks.listed(self.match_expressions))
        object.__setattr__(self, "match_fields", checks.listed(self.match_fields))

    @property
    def empty(self) -> bool:
        """Whether it says nothing, and therefore selects nothing."""
        return not self.match_expressions and not self.match_fields

    @property
    def possible(self) -> bool:
        """Whether Kubernetes takes every expression; otherwise the term selects nothing."""
        if self._possible is None:
            possible = all(expression.possible for expression in self.match_expressions)
            object.__setattr__(self, "_possible", possible)
            return possible
        return self._possible

    def check(self, where: str, field: str) -> None:
        """Hold it against the API's rules.

        Raises:
            SchedulerInputError: names the field that is malformed.
        """
        for path, expression in checks.each(
            self.match_expressions, where, f"{field}.matchExpressions"
        ):
            checks.instance(expression, Requirement, where, path)
            expression.check(where, path, NODE_OPERATORS)
        for path, expression in checks.each(self.match_fields, where, f"{field}.matchFields"):
            checks.instance(expression, Requirement, where, path)
            checks.one_of(expression.key, (NAME_FIELD,), where, f"{path}.key")
            expression.check(where, path, ("In", "NotIn"))
            if len(expression.values) != 1:
                raise SchedulerInputError(where, f"{path}.values", "must be exactly one name")


@dataclass(frozen=True, slots=True)
class PreferredSchedulingTerm:
    """Adds its weight (1 to 100) to the nodes that match; an empty preference adds nothing."""

    weight: int
    preference: NodeSelectorTerm


@dataclass(frozen=True, slots=True)
class NodeAffinity:
    """Required terms (ORed; None when not given, () matches no node) and preferred terms."""

    required: Iterable[NodeSelectorTerm] | None = None
    preferred: Iterable[PreferredSchedulingTerm] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "required", checks.listed(self.required))
        object.__setattr__(self, "preferred", checks.listed(self.preferred))

    def check(self, where: str, field: str) -> None:
        """Hold it against the API's rules.

        Raises:
            SchedulerInputError: names the field that is malformed.
        """
        required = () if self.required is None else self.required
        for path, term in checks.each(required, where, f"{field}.required.nodeSelectorTerms"):
            checks.instance(term, NodeSelectorTerm, where, path)
            term.check(where, path)
        for path, weighted in checks.each(self.preferred, where, f"{field}.preferred"):
            checks.instance(weighted, PreferredSchedulingTerm, where, path)
            checks.weight(weighted.weight, where, path)
            checks.instance(weighted.preference, NodeSelectorTerm, where, f"{path}.preference")
            weighted.preference.check(where, f"{path}.preference")
            if not weighted.preference.possible:
                problem = "has a value that no label could have; kube-scheduler fails on that"
                raise SchedulerInputError(where, f"{path}.preference", problem)
