"""Runs in the formats of other tools."""

from __future__ import annotations

import importlib
from typing import Protocol, cast

from cnbench.core.run import Run

# A format and what it has, in the order a person would try them.
FORMATS = {
    "csv": "every sample, a row each",
    "parquet": "every sample, in typed columns",
    "json": "all of the run file, as one object",
    "pyperf": "the samples of every cost, as pyperf's tools read them",
    "markdown": "medians and intervals, in tables",
    "openmetrics": "medians and intervals, as Prometheus reads them",
}


class Format(Protocol):
    """A module of this package."""

    BEGINS: bytes | None
    """How every file of it begins that is ours; None where nothing tells ours from another's."""

    BINARY: bool
    """Whether it is no text."""

    def exported(self, run: Run) -> tuple[bytes, list[str]]:
        """``run`` in this format, and what it cannot have of it, as sentences."""


def format_called(name: str) -> Format:
    """The format of that name among ``FORMATS``, imported now."""
    return cast(Format, importlib.import_module(f"{__name__}.as_{name}"))
