"""Checks that a value is of the kind a field takes, told with the object and the field."""

from collections.abc import Iterable, Mapping
from typing import Any

from cnbench.scheduler.errors import SchedulerInputError

_SHOWN = 80


def listed(given: Any) -> Any:
    """The items of any iterable as a tuple; what is no list stays as it is, to be checked later.

    A string is no list: its characters are never what was meant.
    """
    plain = isinstance(given, Iterable) and not isinstance(given, str | Mapping)
    return tuple(given) if plain else given


def a_list(given: object, where: str, field: str) -> None:
    """Raise SchedulerInputError unless it is a tuple, as `listed` makes of a list."""
    if not isinstance(given, tuple):
        raise SchedulerInputError(where, field, f"must be a list, not {shown(given)}")


def texts(given: object, where: str, field: str) -> None:
    """Raise SchedulerInputError unless it is a tuple of strings."""
    a_list(given, where, field)
    if not all(isinstance(one, str) for one in given):  # type: ignore[attr-defined]
        raise SchedulerInputError(where, field, f"{shown(given)} must all be strings")


def a_map(given: object, where: str, field: str) -> Mapping[Any, Any]:
    """The mapping given; raises SchedulerInputError if it is none."""
    if not isinstance(given, Mapping):
        raise SchedulerInputError(where, field, f"must be a map, not {shown(given)}")
    return given


def instance(given: object, kind: type, where: str, field: str) -> None:
    """Raise SchedulerInputError unless it is of this class of ours."""
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
