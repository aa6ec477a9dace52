"""Reads Kubernetes objects field by field, and says where a malformed field is."""

from collections.abc import Mapping
from typing import Any

from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.model.quantities import quantities


class Reader:
    """Reads fields of one Kubernetes object, and says where a malformed one is."""

    def __init__(self, where: str, value: Any, path: str = "") -> None:
        self.where = where
        self.value = value
        self.path = path

    def problem(self, text: str) -> SchedulerInputError:
        """An error about this field."""
        return SchedulerInputError(self.where, self.path or "object", text)

    def field(self, name: str) -> "Reader":
        """A field of a map; absent ones read as None."""
        path = f"{self.path}.{name}" if self.path else name
        if self.value is None:
            return Reader(self.where, None, path)
        if not isinstance(self.value, Mapping):
            raise self.problem(f"must be a map, not {self.value!r}")
        return Reader(self.where, self.value.get(name), path)

    def items(self) -> "list[Reader]":
        """The items of a list; an absent list is empty."""
        if self.value is None:
            return []
        if not isinstance(self.value, list | tuple):
            raise self.problem(f"must be a list, not {self.value!r}")
        return [
            Reader(self.where, item, f"{self.path}[{number}]")
            for number, item in enumerate(self.value)
        ]

    def text(self, default: str = "") -> str:
        """A string."""
        if self.value is None:
            return default
        if not isinstance(self.value, str):
            raise self.problem(f"must be a string, not {self.value!r}")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """A list of strings."""
        return tuple(item.text() for item in self.items())

    def whole(self) -> int:
        """An integer that must be there."""
        if type(self.value) is not int:
            raise self.problem(f"must be an integer, not {self.value!r}")
        return self.value

    def labels(self) -> dict[str, str]:
        """A map of strings."""
        if self.value is None:
            return {}
        if not isinstance(self.value, Mapping):
            raise self.problem(f"must be a map, not {self.value!r}")
        return {
            str(key): Reader(self.where, value, f"{self.path}.{key}").text()
            for key, value in self.value.items()
        }

    def amounts(self) -> dict[str, int]:
        """Resource quantities in base units (millicpu, bytes, counts)."""
        return quantities(self.value, self.where, self.path)
