"""cnbench: what the building blocks of a container platform really cost, with proof.

::

    run = cnbench.measure("cpu-quota", quota="20%", budget=60)
    frame = cnbench.load("results/runs").frame()     # run files as a pandas frame
    for row in cnbench.compare("before.jsonl", "after.jsonl"):
        print(row.b.case.point, row.effect, row.judgement.verdict)

Names are imported when they are first asked for: a guest has this package without its analysis
side, and ``cnbench --help`` without pandas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnbench.api import compare, measure
    from cnbench.core.errors import (
        CnbenchError,
        CommandError,
        NotComparableError,
        ProofError,
        UnsupportedError,
        UsageError,
    )
    from cnbench.store.frames import load

__all__ = [
    "CnbenchError",
    "CommandError",
    "NotComparableError",
    "ProofError",
    "UnsupportedError",
    "UsageError",
    "compare",
    "load",
    "measure",
]
__version__ = "0.1.0"

_HOMES = {
    "cnbench.api": ("compare", "measure"),
    "cnbench.core.errors": (
        "CnbenchError",
        "CommandError",
        "NotComparableError",
        "ProofError",
        "UnsupportedError",
        "UsageError",
    ),
    "cnbench.store.frames": ("load",),
}


def __getattr__(name: str) -> object:
    # Imported here, so that who wants one module of the package imports nothing else.
    from cnbench.core.imports.lazy import lazily

    return lazily(__name__, _HOMES)[0](name)


def __dir__() -> list[str]:
    from cnbench.core.imports.lazy import lazily

    return lazily(__name__, _HOMES)[1]()
