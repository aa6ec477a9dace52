"""What a comparison came to, in the formats that other tools and people read elsewhere."""

from __future__ import annotations

import importlib
from typing import Protocol, cast

from cnbench.analysis.outcome import Outcome

# A format and what it is for, beside the tables of a terminal.
FORMATS = {
    "json": "one object, for programs",
    "markdown": "a comment on a pull request",
    "github": "annotations of a GitHub Actions workflow, and its job summary",
}


class Format(Protocol):
    """A module of this package."""

    def shown(self, outcome: Outcome) -> str:
        """``outcome`` in this format, without a newline at its end."""


def format_called(name: str) -> Format:
    """The format of that name among ``FORMATS``, imported now."""
    return cast(Format, importlib.import_module(f"{__name__}.as_{name}"))
