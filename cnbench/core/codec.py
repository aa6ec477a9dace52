"""Our dataclasses as plain JSON values and back, with the standard library alone.

Run files are decoded strictly by msgspec on the analysis side; this is for the guest, which has no
packages: plans go in, events come out, and both sides run the same version of these classes.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_plain(value: object) -> Any:
    """``value``, a dataclass of ours, as what ``json.dumps`` takes."""
    return dataclasses.asdict(cast(Any, value))


def from_plain(kind: type[T], plain: Any) -> T:
    """The inverse of ``to_plain`` for a dataclass ``kind``.

    Raises:
        TypeError, KeyError, ValueError: ``plain`` is not one of those.
    """
    return cast(T, _decode(kind, plain))


def _decode(kind: Any, plain: Any) -> Any:
    if dataclasses.is_dataclass(kind):
        made = cast(type, kind)
        present = {name: of for name, of in _init_fields(made).items() if name in plain}
        return made(**{name: _decode(of, plain[name]) for name, of in present.items()})
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (tuple, Sequence):
        return tuple(_decode(arguments[0], item) for item in plain)
    if origin is list:
        return [_decode(arguments[0], item) for item in plain]
    if origin in (dict, Mapping):
        return {key: _decode(arguments[1], item) for key, item in plain.items()}
    if origin in (Union, types.UnionType):
        return None if plain is None else _decode(_only_structured(arguments), plain)
    if origin is Literal and plain not in arguments:
        raise ValueError(f"{plain!r} is none of {arguments}")
    return plain


def _only_structured(alternatives: tuple[Any, ...]) -> Any:
    """The one alternative that needs decoding; plain ones (str, int, None) decode to themselves."""
    structured = [kind for kind in alternatives if dataclasses.is_dataclass(kind)]
    return structured[0] if structured else object


@cache
def _init_fields(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind) if field.init}
