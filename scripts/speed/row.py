"""What is measured of both builds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from speed.sides import Side

# Fewer rounds have no interval of 95 %, and all rows together take no more than 15 minutes.
FEWEST_BOUND = 6


@dataclass(frozen=True)
class Figure:
    """One figure of a row.

    Attributes:
        name: what it is.
        unit: a base unit of ``cnbench.core.units``.
        target: what this build's may be of the earlier one's, as a share; None where it is told.
    """

    name: str
    unit: str
    target: float | None


def nothing(side: Side, folder: Path) -> None:
    """Prepare nothing."""


@dataclass(frozen=True)
class Row:
    """One thing that both builds do.

    Attributes:
        name: a short one, for ``--only``.
        what: the thing, in words.
        figures: what is told of it, by the names that ``measure`` gives.
        measure: does it once with a build, in a folder that rows share; figure's name to value.
        prepare: makes what ``measure`` needs of a build in that folder, once.
        exact: whether every measurement gives the same.
        large: whether it takes minutes: it is then measured by ``make speed-large``, once a side.
        rounds: how often both builds do it, in turn.
        limit: what stands in the way where a target is missed; told then.
    """

    name: str
    what: str
    figures: tuple[Figure, ...]
    measure: Callable[[Side, Path], dict[str, float]]
    prepare: Callable[[Side, Path], None] = nothing
    exact: bool = False
    large: bool = False
    rounds: int = FEWEST_BOUND
    limit: str = ""
