"""Reads Kubernetes objects field by field, and says where a malformed field is."""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Mapping
from typing import Any

from cnbench.scheduler.errors import SchedulerInputError, UnmodelledWarning
from cnbench.scheduler.model.quantities import LARGEST_REQUEST, quantities


class Reader:
    """Reads fields of one Kubernetes object, and says where a malformed one is."""

    def __init__(self, where: str, value: Any, path: str = "") -> None:
        self.where = where
        self.value = value
        self.path = path

    def problem(self, text: str) -> SchedulerInputError:
        """An error about this field."""
        return SchedulerInputError(self.where, self.path or "object", text)

    def field(self, name: str) -> Reader:
        """A field of a map; absent ones read as None.

        Raises:
            SchedulerInputError: this is no map.
        """
        path = f"{self.path}.{name}" if self.path else name
        if self.value is None:
            return Reader(self.where, None, path)
        if not isinstance(self.value, Mapping):
            raise self.problem(f"must be a map, not {self.value!r}")
        return Reader(self.where, self.value.get(name), path)

    def among(self, known: frozenset[str]) -> Reader:
        """This map, whose fields are these: a field of another name would be passed over.

        One that Kubernetes has come to have since is passed over with a warning.

        Raises:
            SchedulerInputError: a field's name is nearly one of those, or is in snake_case.
        """
        if isinstance(self.value, Mapping):
            for name in self.value.keys() - known:
                self._refuse_or_warn(str(name), known)
        return self

    def _refuse_or_warn(self, name: str, known: frozenset[str]) -> None:
        there = Reader(self.where, None, f"{self.path}.{name}" if self.path else name)
        camel = re.sub("_([a-z0-9])", lambda found: found.group(1).upper(), name)
        if camel != name and camel in known:
            hint = "sanitize_for_serialization gives objects as the API has them"
            raise there.problem(f"is {camel} in snake_case; {hint}")
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
        if near:
            raise there.problem(f"there is no such field; did you mean {near[0]}?")
        text = f"{self.where}: {there.path}: is not known here, and not heeded"
        warnings.warn(text, UnmodelledWarning, stacklevel=6)

    def items(self) -> list[Reader]:
        """The items of a list; an absent list is empty.

        Raises:
            SchedulerInputError: it is no list.
        """
        if self.value is None:
            return []
        if not isinstance(self.value, list | tuple):
            raise self.problem(f"must be a list, not {self.value!r}")
        return [
            Reader(self.where, item, f"{self.path}[{number}]")
            for number, item in enumerate(self.value)
        ]

    def text(self, default: str = "") -> str:
        """A string.

        Raises:
            SchedulerInputError: it is something else.
        """
        if self.value is None:
            return default
        if not isinstance(self.value, str):
            raise self.problem(f"must be a string, not {self.value!r}")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """A list of strings.

        Raises:
            SchedulerInputError: it is something else.
        """
        return tuple(item.text() for item in self.items())

    def whole(self) -> int:
        """An integer that must be there.

        Raises:
            SchedulerInputError: it is something else.
        """
        if type(self.value) is not int:
            raise self.problem(f"must be an integer, not {self.value!r}")
        return self.value

    def labels(self) -> dict[str, str]:
        """A map of strings.

        Raises:
            SchedulerInputError: it is something else.
        """
        if self.value is None:
            return {}
        if not isinstance(self.value, Mapping):
            raise self.problem(f"must be a map, not {self.value!r}")
        return {
            str(key): Reader(self.where, value, f"{self.path}.{key}").text()
            for key, value in self.value.items()
        }

    def amounts(self, most: int = LARGEST_REQUEST) -> dict[str, int]:
        """Resource quantities in base units (millicpu, bytes, counts).

        Raises:
            SchedulerInputError: one is no quantity, or more than `most`.
        """
        return quantities(self.value, self.where, self.path, most)
