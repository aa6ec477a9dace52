"""The name that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def choose_from(mistaken: str, known: Iterable[str]) -> str:
    """A remedy for a ``mistaken`` name: the nearest of those ``known`` if one is near, and all."""
    names = list(known)
    near = difflib.get_close_matches(mistaken, names, n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    return f"{meant}choose from {', '.join(names)}"
