"""Asking once whether something can be done here."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVarTuple

from cnbench.core.errors import UnsupportedError
from cnbench.lab import commands

What = TypeVarTuple("What")


def asked_once(ask: Callable[[*What], None]) -> Callable[[*What], None]:
    """``ask``, which raises UnsupportedError where something cannot be done, with its answers kept.

    A kernel does not learn meanwhile, and a plan asks for each of its points.
    """

    @functools.cache
    def refusal(*what: *What) -> UnsupportedError | None:
        try:
            with commands.planning():
                ask(*what)
        except UnsupportedError as error:
            return error
        return None

    @functools.wraps(ask)
    def require(*what: *What) -> None:
        found = refusal(*what)
        if found:
            # Else every time that it is raised again would be added to it.
            raise found.with_traceback(None)

    return require
