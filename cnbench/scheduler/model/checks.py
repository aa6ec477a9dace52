"""Checks that a value is of the kind a field takes, told with the object and the field."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from cnbench.scheduler.errors import SchedulerInputError

Item = TypeVar("Item")

_SHOWN = 80


def listed(given: Any) -> Any:
    """The items of any iterable as a tuple; what is no list stays as it is, to be checked later.

    A string is no list: its characters are never what was meant.
    """
    plain = isinstance(given, Iterable) and not isinstance(given, str | Mapping)
    return tuple(given) if plain else given


def a_list(given: object, where: str, field: str) -> None:
    """Hold that it is a tuple, as `listed` makes of a list.

    Raises:
        SchedulerInputError: it is none.
    """
    if not isinstance(given, tuple):
        raise SchedulerInputError(where, field, f"must be a list, not {shown(given)}")


def texts(given: object, where: str, field: str) -> None:
    """Hold that it is a tuple of strings.

    Raises:
        SchedulerInputError: it is none.
    """
    a_list(given, where, field)
    if not all(isinstance(value, str) for value in given):  # type: ignore[attr-defined]
        raise SchedulerInputError(where, field, f"{shown(given)} must all be strings")


def a_map(given: object, where: str, field: str) -> Mapping[Any, Any]:
    """The mapping given.

    Raises:
        SchedulerInputError: it is none.
    """
    if not isinstance(given, Mapping):
        raise SchedulerInputError(where, field, f"must be a map, not {shown(given)}")
    return given


def instance(given: object, kind: type, where: str, field: str) -> None:
    """Hold that it is of this class of ours.

    Raises:
        SchedulerInputError: it is not.
    """
    if not isinstance(given, kind):
        hint = "node_from_dict and pod_from_dict read Kubernetes' own form"
        problem = f"must be a {kind.__name__}, not {shown(given)}"
        raise SchedulerInputError(
            where, field, f"{problem}; {hint}" if isinstance(given, Mapping) else problem
        )


def shown(given: object) -> str:
    """The value as a message shows it: not longer than a line."""
    text = repr(given)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def one_of(value: str, allowed: tuple[str, ...], where: str, field: str) -> None:
    """Hold that a value is one of those allowed.

    Raises:
        SchedulerInputError: it is none of them.
    """
    if value not in allowed:
        named = ", ".join(repr(choice) for choice in allowed)
        raise SchedulerInputError(where, field, f"unknown value {value!r}; use one of {named}")


def weight(given: int, where: str, field: str) -> None:
    """Hold that it is a weight.

    Raises:
        SchedulerInputError: it is not from 1 to 100.
    """
    if type(given) is not int or not 1 <= given <= 100:
        problem = f"{shown(given)} must be from 1 to 100"
        raise SchedulerInputError(where, f"{field}.weight", problem)


def each(given: Iterable[Item], where: str, field: str) -> Iterator[tuple[str, Item]]:
    """The items of a list with their paths.

    Raises:
        SchedulerInputError: it is none.
    """
    a_list(given, where, field)
    for number, item in enumerate(given):
        yield f"{field}[{number}]", item
