"""Label selectors: what they say, whether they are well formed, and what they match.

One vocabulary for both kinds Kubernetes has: `LabelSelector` (pods; In, NotIn, Exists,
DoesNotExist) and node selector terms (also Gt and Lt). Source: apimachinery labels.Requirement.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.model import checks

SET_OPERATORS = ("In", "NotIn")
KEY_OPERATORS = ("Exists", "DoesNotExist")
ORDER_OPERATORS = ("Gt", "Lt")
POD_OPERATORS = SET_OPERATORS + KEY_OPERATORS
NODE_OPERATORS = POD_OPERATORS + ORDER_OPERATORS

_INTEGER = re.compile(r"[+-]?[0-9]+")
# apimachinery, validation.IsValidLabelValue.
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_LONGEST_LABEL_VALUE = 63


def parse_int64(text: str) -> int | None:
    """The integer as Go's strconv.ParseInt(text, 10, 64) reads it, or None."""
    if not _INTEGER.fullmatch(text):
        return None
    value = int(text)
    return value if -(2**63) <= value < 2**63 else None


def is_label_value(text: str) -> bool:
    """Whether a label could have this value: "-3" and "+3" it could not."""
    return len(text) <= _LONGEST_LABEL_VALUE and _LABEL_VALUE.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Requirement:
    """One expression over a label: key, operator, values (strings)."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", checks.listed(self.values))

    @property
    def compares(self) -> bool:
        """Whether it compares numbers."""
        return self.operator in ORDER_OPERATORS

    @property
    def possible(self) -> bool:
        """Whether Kubernetes takes it: it has labels' values alone, and numbers to compare with.

        A node selector term with one that it does not take matches no node (apimachinery,
        labels.NewRequirement; component-helpers, nodeaffinity.go).
        """
        numbers = not self.compares or all(parse_int64(value) is not None for value in self.values)
        return numbers and all(map(is_label_value, self.values))

    def check(self, where: str, field: str, operators: tuple[str, ...]) -> None:
        """Hold it against the API's rules.

        Raises:
            SchedulerInputError: names the field that is malformed.
        """
        if not isinstance(self.key, str) or not self.key:
            raise SchedulerInputError(where, f"{field}.key", "must be a label's name, not empty")
        if self.operator not in operators:
            raise SchedulerInputError(
                where,
                f"{field}.operator",
                f"unknown operator {self.operator!r}; use one of {', '.join(operators)}",
            )
        self._check_values(where, f"{field}.values")

    def _check_values(self, where: str, field: str) -> None:
        checks.texts(self.values, where, field)
        if self.operator in SET_OPERATORS and not self.values:
            raise SchedulerInputError(where, field, f"{self.operator} needs at least one value")
        if self.operator in KEY_OPERATORS and self.values:
            raise SchedulerInputError(where, field, f"{self.operator} takes no values")
        if self.operator in ORDER_OPERATORS and (
            len(self.values) != 1 or parse_int64(self.values[0]) is None
        ):
            raise SchedulerInputError(
                where, field, f"{self.operator} needs exactly one integer, not {self.values!r}"
            )

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels satisfies the requirement."""
        return self.accepts(labels.get(self.key))

    def accepts(self, value: str | None) -> bool:
        """Whether the label's value (None where it is absent) satisfies the requirement."""
        if self.operator == "In":
            return value is not None and value in self.values
        if self.operator == "NotIn":
            return value is None or value not in self.values
        if self.operator == "Exists":
            return value is not None
        if self.operator == "DoesNotExist":
            return value is None
        number = None if value is None else parse_int64(value)
        bound = parse_int64(self.values[0])
        if number is None or bound is None:
            return False
        return number > bound if self.operator == "Gt" else number < bound


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """Selects pods by label: match_labels and match_expressions, all ANDed.

    An empty selector matches every pod; where a selector is optional, None matches none
    (apimachinery's LabelSelectorAsSelector).
    """

    match_labels: tuple[tuple[str, str], ...] = ()
    match_expressions: tuple[Requirement, ...] = ()

    def __init__(
        self,
        match_labels: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        match_expressions: Iterable[Requirement] = (),
    ) -> None:
        object.__setattr__(self, "match_labels", _sorted_pairs(match_labels))
        object.__setattr__(self, "match_expressions", checks.listed(match_expressions))

    @property
    def empty(self) -> bool:
        """Whether there is nothing to satisfy, so that everything matches."""
        return not self.match_labels and not self.match_expressions

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        for key, value in self.match_labels:  # a loop: this is asked for every new selector
            if labels.get(key) != value:
                return False
        return not self.match_expressions or all(
            requirement.matches(labels) for requirement in self.match_expressions
        )

    def requiring(self, labels: Mapping[str, str]) -> "LabelSelector":
        """This selector with further labels to match (matchLabelKeys)."""
        added = tuple(Requirement(key, "In", (value,)) for key, value in sorted(labels.items()))
        return LabelSelector(self.match_labels, self.match_expressions + added)

    def check(self, where: str, field: str) -> None:
        """Hold it against the API's rules.

        Raises:
            SchedulerInputError: names the field that is malformed.
        """
        checks.a_list(self.match_labels, where, f"{field}.matchLabels")
        pairs: tuple[tuple[object, object], ...] = self.match_labels
        for key, value in pairs:
            if not isinstance(key, str) or not isinstance(value, str):
                problem = f"{key!r}: {value!r} must be strings; give {{'app': 'web'}} or so"
                raise SchedulerInputError(where, f"{field}.matchLabels", problem)
        checks.a_list(self.match_expressions, where, f"{field}.matchExpressions")
        for number, requirement in enumerate(self.match_expressions):
            path = f"{field}.matchExpressions[{number}]"
            checks.instance(requirement, Requirement, where, path)
            requirement.check(where, path, POD_OPERATORS)


def as_selector(given: "LabelSelector | Mapping[str, str] | None") -> LabelSelector | None:
    """A selector from itself or from plain labels to match; None stays None.

    Anything else stays what it is, for `check_selector` to refuse.
    """
    return LabelSelector(given) if isinstance(given, Mapping) else given


def check_selector(given: object, where: str, field: str) -> None:
    """Hold a selector, or None, against the API's rules.

    Raises:
        SchedulerInputError: it is no selector, or a malformed one.
    """
    if given is not None:
        checks.instance(given, LabelSelector, where, field)
        given.check(where, field)  # type: ignore[attr-defined]


def _sorted_pairs(given: Mapping[str, str] | Iterable[tuple[str, str]]) -> Any:
    """The pairs in order of their keys; what cannot be sorted stays, to be refused later."""
    try:
        return tuple(sorted(dict(given).items(), key=lambda pair: pair[0]))
    except (TypeError, ValueError):
        return given
