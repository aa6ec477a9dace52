"""Label selectors: what they say, whether they are well formed, and what they match.

One vocabulary for both kinds Kubernetes has: `LabelSelector` (pods; In, NotIn, Exists,
DoesNotExist) and node selector terms (also Gt and Lt). Source: apimachinery labels.Requirement.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cnbench.scheduler.errors import SchedulerInputError

SET_OPERATORS = ("In", "NotIn")
KEY_OPERATORS = ("Exists", "DoesNotExist")
ORDER_OPERATORS = ("Gt", "Lt")
POD_OPERATORS = SET_OPERATORS + KEY_OPERATORS
NODE_OPERATORS = POD_OPERATORS + ORDER_OPERATORS

_INTEGER = re.compile(r"^[+-]?[0-9]+$")


def parse_int64(text: str) -> int | None:
    """The integer as Go's strconv.ParseInt(text, 10, 64) reads it, or None."""
    if not _INTEGER.match(text):
        return None
    value = int(text)
    return value if -(2**63) <= value < 2**63 else None


@dataclass(frozen=True, slots=True)
class Requirement:
    """One expression over a label: key, operator, values (strings)."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))

    def check(self, where: str, field: str, operators: tuple[str, ...]) -> None:
        """Raise SchedulerInputError unless well formed, naming the offending field."""
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
        if any(not isinstance(value, str) for value in self.values):
            raise SchedulerInputError(where, field, f"{self.values!r} must all be strings")
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
        object.__setattr__(self, "match_labels", tuple(sorted(dict(match_labels).items())))
        object.__setattr__(self, "match_expressions", tuple(match_expressions))

    @property
    def empty(self) -> bool:
        """Whether there is nothing to satisfy, so that everything matches."""
        return not self.match_labels and not self.match_expressions

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return all(labels.get(key) == value for key, value in self.match_labels) and all(
            requirement.matches(labels) for requirement in self.match_expressions
        )

    def requiring(self, labels: Mapping[str, str]) -> "LabelSelector":
        """This selector with further labels to match (matchLabelKeys)."""
        added = tuple(Requirement(key, "In", (value,)) for key, value in sorted(labels.items()))
        return LabelSelector(self.match_labels, self.match_expressions + added)

    def check(self, where: str, field: str) -> None:
        """Raise SchedulerInputError unless well formed, naming the offending field."""
        for key, value in self.match_labels:
            if not isinstance(key, str) or not isinstance(value, str):
                raise SchedulerInputError(
                    where, f"{field}.matchLabels", f"{key!r}: {value!r} must be strings"
                )
        for number, requirement in enumerate(self.match_expressions):
            requirement.check(where, f"{field}.matchExpressions[{number}]", POD_OPERATORS)


def as_selector(given: "LabelSelector | Mapping[str, str] | None") -> LabelSelector | None:
    """A selector from itself or from plain labels to match; None stays None."""
    if given is None or isinstance(given, LabelSelector):
        return given
    return LabelSelector(given)
