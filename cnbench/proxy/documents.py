"""Files of objects, JSON or YAML, read without trusting them.

A few lines of YAML can stand for billions of objects (aliases of aliases), or be nested deeper than
any stack. libyaml says what comes next without building it, so that is counted first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cnbench.proxy.model import ServiceError

# Kubernetes objects are nested a dozen deep.
_DEEPEST = 100
# kubectl writes no aliases; a person who does means a label or two, a few thousand times.
_MOST_BY_ALIASES = 1_000_000
_MOST_BYTES = 512 << 20


def read_documents(path: Path) -> list[object]:
    """The objects in ``path``: one of JSON, or YAML documents.

    Raises:
        ServiceError: it cannot be read, or is neither, or stands for more than it should.
    """
    text = _text_of(path)
    try:
        return [json.loads(text)]
    except RecursionError as error:
        raise ServiceError(f"{path}: is nested too deeply to be Kubernetes objects") from error
    except ValueError:
        return _yaml_documents(path, text)


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            contents = file.read(_MOST_BYTES + 1)
        if len(contents) > _MOST_BYTES:
            raise ServiceError(f"{path}: has more than {_MOST_BYTES >> 20} MiB")
        return contents.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ServiceError(f"{path}: cannot be read: {error}") from error


def _yaml_documents(path: Path, text: str) -> list[object]:
    # Only the analysis side has PyYAML; in the guest no file is read.
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _count(path, yaml.parse(text, Loader=loader))
        return list(yaml.load_all(text, Loader=loader))
    # A scalar that looks like a date or a number and is none ends in whatever its reader meets.
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError) as error:
        said = " ".join(str(error).split())
        raise ServiceError(f"{path}: is neither JSON nor YAML: {said[:300]}") from error


def _count(path: Path, events: Iterable[Any]) -> None:
    """Refuse what is nested too deeply, or stands for too much by its aliases."""
    sizes: dict[str, int] = {}
    open_ones: list[list[Any]] = [["", 0]]  # the anchor of each, and how many objects it is so far
    by_aliases = 0
    for event in events:
        kind = type(event).__name__
        if kind in ("MappingStartEvent", "SequenceStartEvent"):
            open_ones.append([event.anchor, 1])
            if len(open_ones) > _DEEPEST:
                raise ServiceError(f"{path}: is nested too deeply to be Kubernetes objects")
            continue
        if kind == "AliasEvent":
            if any(event.anchor == anchor for anchor, _ in open_ones):
                raise ServiceError(f"{path}: an object in it contains itself (*{event.anchor})")
            size = sizes.get(event.anchor, 1)
            by_aliases += size
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            anchor, size = open_ones.pop()
            sizes[anchor] = size
        elif kind == "ScalarEvent":
            size = 1
            sizes[event.anchor] = 1
        else:
            sizes.clear()  # anchors end with their document
            continue
        open_ones[-1][1] += size
        if by_aliases > _MOST_BY_ALIASES:
            raise ServiceError(
                f"{path}: stands for more than {_MOST_BY_ALIASES:,} objects by its aliases"
            )
