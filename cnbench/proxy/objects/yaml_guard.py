"""YAML that is read without trusting it.

A few lines can stand for billions of objects (aliases of aliases), or be nested deeper than any
stack. libyaml says what comes next without building it, so that is counted first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cnbench.core.errors import ServiceError

# Kubernetes objects are nested a dozen deep.
_DEEPEST = 100
# kubectl writes no aliases; a person who does means a label or two, a few thousand times.
_MOST_BY_ALIASES = 1_000_000


def refuse_excess(source: str, events: Iterable[Any]) -> None:
    """Refuse what is nested too deeply, or stands for too much by its aliases.

    Args:
        source: what it was read from, as a person knows it.
        events: what a YAML parser says comes next (``yaml.parse``), before anything is built.

    Raises:
        ServiceError: it stands for more than Kubernetes objects ever are.
    """
    sizes: dict[str, int] = {}
    open_ones: list[list[Any]] = [["", 0]]  # the anchor of each, and how many objects it is so far
    by_aliases = 0
    for event in events:
        kind = type(event).__name__
        if kind in ("MappingStartEvent", "SequenceStartEvent"):
            open_ones.append([event.anchor, 1])
            if len(open_ones) > _DEEPEST:
                raise ServiceError(f"{source}: is nested too deeply to be Kubernetes objects")
            continue
        if kind == "AliasEvent":
            if any(event.anchor == anchor for anchor, _ in open_ones):
                raise ServiceError(f"{source}: an object in it contains itself (*{event.anchor})")
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
                f"{source}: stands for more than {_MOST_BY_ALIASES:,} objects by its aliases"
            )
