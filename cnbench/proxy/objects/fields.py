"""Kubernetes objects as they are parsed, whose fields must be of the kind they should."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from cnbench.core.errors import ServiceError
from cnbench.proxy.model import ServiceKey

SERVICE_OF_SLICE = "kubernetes.io/service-name"
NO_KIND = "object without a kind"

_T = TypeVar("_T")
# Of what a field should be and is: as somebody says who writes YAML.
_KINDS = {
    str: "a text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "a mapping of fields",
    float: "a number with a fraction",
    type(None): "nothing",
}


class Fields:
    """A mapping whose fields must be of the kind they should; ``owner`` names it in errors."""

    def __init__(self, value: object, owner: str) -> None:
        if not isinstance(value, Mapping):
            raise ServiceError(f"{owner} is {_shown(value)}, not {_KINDS[dict]}")
        self._value: Mapping[Any, Any] = value
        self.owner = owner

    def fields(self, name: str) -> Fields:
        """Give fields within; none where it is missing."""
        value = self._value.get(name)
        return Fields({} if value is None else value, f"{self.owner}, {name}")

    def text(self, name: str) -> str:
        """Give a text, empty where it is missing."""
        return self._of_kind(str, name, "")

    def number(self, name: str) -> int:
        """Give a whole number, 0 where it is missing."""
        value = self._of_kind(int, name, 0)
        if isinstance(value, bool):
            raise self._wrong(name, value, int)
        return value

    def flag(self, name: str, missing: bool) -> bool:
        """Give yes or no, ``missing`` where it is missing."""
        return self._of_kind(bool, name, missing)

    def texts(self, name: str) -> tuple[str, ...]:
        """Give a list of texts, empty where it is missing."""
        values = self._of_kind(list, name, [])
        for number, value in enumerate(values):
            if not isinstance(value, str):
                raise self._wrong(f"{name}[{number}]", value, str)
        return tuple(values)

    def each(self, name: str) -> Iterator[Fields]:
        """Give the fields of every element of a list, none where it is missing."""
        for number, value in enumerate(self._of_kind(list, name, [])):
            yield Fields(value, f"{self.owner}, {name}[{number}]")

    def __contains__(self, name: object) -> bool:
        return self._value.get(name) is not None

    def _of_kind(self, kind: type[_T], name: str, missing: _T) -> _T:
        value = self._value.get(name)
        if value is None:
            return missing
        if not isinstance(value, kind):
            raise self._wrong(name, value, kind)
        return value

    def _wrong(self, name: str, value: object, kind: type) -> ServiceError:
        return ServiceError(f"{self.owner}: {name} is {_shown(value)}, not {_KINDS[kind]}")


class KubernetesObject(Fields):
    """A Kubernetes object, with its name.

    Attributes:
        kind: as the object says; ``kind`` where it does not, and `NO_KIND` where nothing does.
        key: its namespace and name.
    """

    def __init__(self, value: object, kind: str = "", where: str = "an object") -> None:
        super().__init__(value, where)
        self.kind = self.text("kind") or kind or NO_KIND
        metadata = self.fields("metadata")
        name = metadata.text("name")
        if not name:
            raise ServiceError(f"{where}, {self.kind}: has no metadata.name, which every one needs")
        self.key = ServiceKey(metadata.text("namespace") or "default", name)
        self.owner = f"{self.kind} {self.key}"

    def __str__(self) -> str:
        return self.owner

    @property
    def spec(self) -> Fields:
        """What its user wants."""
        return self.fields("spec")

    @property
    def labels(self) -> Fields:
        """Its labels."""
        return self.fields("metadata").fields("labels")

    @property
    def annotations(self) -> Fields:
        """Its annotations."""
        return self.fields("metadata").fields("annotations")

    def service_of_slice(self) -> ServiceKey:
        """Name the service that a slice's endpoints belong to.

        Raises:
            ServiceError: its labels do not say.
        """
        name = self.labels.text(SERVICE_OF_SLICE)
        if not name:
            raise ServiceError(f"{self}: has no label {SERVICE_OF_SLICE}")
        return ServiceKey(self.key.namespace, name)


def _shown(value: object) -> str:
    """A value as its file has it, not as Python does."""
    if isinstance(value, Mapping | list):
        return _KINDS[list if isinstance(value, list) else dict]
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    text = f"'{value}'" if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
