"""The inner loops of filters and scores: compiled where cnbench was installed with a compiler.

`by_numpy` has the same loops, says what each gives, and does it where there is no extension (or
with ``CNBENCH_LOOPS=numpy``). Both are equal to the bit: `tests/scheduler/test_scheduler_loops.py`
holds them against each other, and Kubernetes' own answers against both.

Chosen by measuring: LeastAllocated of 5,000 nodes (and of 10, which is calling alone) takes 23.3 µs
(5.9) in numpy, 5.5 (0.8) through numba, whose import takes 0.9 s and which brings 208 MB, and 4.0
(0.2) compiled.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING

from cnbench.scheduler.loops import by_numpy

if TYPE_CHECKING:
    from cnbench.scheduler.loops.by_numpy import (
        all_of,
        balanced_allocation,
        between_extremes,
        count_by_label,
        count_by_node,
        count_listed,
        fits,
        image_scores,
        least_allocated,
        looked_up,
        pulled,
        scaled_to_top,
        spread,
        values_on,
        weighted_sum,
        within_skew,
    )

__all__ = [
    "all_of",
    "balanced_allocation",
    "between_extremes",
    "count_by_label",
    "count_by_node",
    "count_listed",
    "fits",
    "image_scores",
    "least_allocated",
    "looked_up",
    "pulled",
    "scaled_to_top",
    "spread",
    "values_on",
    "weighted_sum",
    "within_skew",
]

NUMPY, COMPILED = "numpy", "compiled"


def kinds() -> list[str]:
    """Which kinds of loops there are here."""
    return [NUMPY, COMPILED] if _compiled() else [NUMPY]


def kind() -> str:
    """Which loops are used."""
    return NUMPY if globals()[__all__[0]] is getattr(by_numpy, __all__[0]) else COMPILED


@contextlib.contextmanager
def using(name: str) -> Iterator[None]:
    """Have everything use the loops of one kind."""
    before = kind()
    _take(name)
    try:
        yield
    finally:
        _take(before)


def _compiled() -> ModuleType | None:
    try:
        return importlib.import_module("cnbench.scheduler.loops.compiled")
    except ImportError:
        return None


def _take(name: str) -> None:
    module = _compiled() if name == COMPILED else by_numpy
    globals().update({loop: getattr(module, loop) for loop in __all__})


_take(NUMPY if os.environ.get("CNBENCH_LOOPS") == NUMPY or not _compiled() else COMPILED)
