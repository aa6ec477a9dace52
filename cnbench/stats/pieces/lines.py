"""Straight pieces that follow one another: how many breaks a curve has, and where.

Each piece is a line. At a break the slope changes (a bend), or the level does too (a jump). Breaks
are added one by one, each where it takes most of the misfit, as long as the misfit it takes is
worth its parameters by the Bayesian information criterion with a known noise (Schwarz 1978), by a
margin that Kass and Raftery (1995) call very strong.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from cnbench.core.errors import CnbenchError
from cnbench.stats.arrays import Floats

Kind = Literal["bend", "jump"]

VERY_STRONG = 10.0
"""By how much a break has to lower the criterion."""

# A piece with fewer points has no slope of its own.
_FEWEST_IN_A_PIECE = 2
# Places that are tried between two points.
_PLACES_BETWEEN = 16
# Chi-squared with one degree of freedom: what a place may be worse by and still be in the interval.
_WORSE = 3.84
_MOST_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Break:
    """A place where a cost leaves its line.

    Attributes:
        kind: ``bend`` where the slope alone changes, ``jump`` where the level does as well.
        place: where, in the unit of the sizes.
        low, high: between which places it lies (95 %).
        before, after: the slopes on both sides, in the unit of the costs a size.
        step: what the level changes by at the place; 0 for a bend.
        evidence: by how much the criterion is lower with it than without.
    """

    kind: Kind
    place: float
    low: float
    high: float
    before: float
    after: float
    step: float
    evidence: float


@dataclass(frozen=True, slots=True)
class Pieces:
    """A curve of straight pieces.

    Attributes:
        breaks: in the order of their places; none for one line.
        misfit: largest distance of a cost from its piece, in standard deviations of its noise.
        criterion: the whole misfit and what the parameters cost; of two explanations the lower one.
    """

    breaks: tuple[Break, ...]
    misfit: float
    criterion: float


@dataclass(frozen=True)
class _Curve:
    """Costs by size, and the standard deviation of each."""

    sizes: Floats
    costs: Floats
    noise: Floats

    def columns(self, breaks: Sequence[tuple[Kind, float]]) -> Floats:
        """The columns of the linear model with ``breaks``."""
        columns = [np.ones_like(self.sizes), self.sizes]
        for kind, place in breaks:
            beyond = (self.sizes > place).astype(float)
            columns.append((self.sizes - place) * beyond)
            if kind == "jump":
                columns.append(beyond)
        return np.column_stack(columns)

    def fit(self, breaks: Sequence[tuple[Kind, float]]) -> tuple[Floats, Floats]:
        """The model's parameters, and the residuals in standard deviations."""
        columns = self.columns(breaks) / self.noise[:, None]
        scale = np.abs(columns).max(axis=0)
        scale[scale == 0] = 1.0
        wanted = self.costs / self.noise
        found, *_ = np.linalg.lstsq(columns / scale, wanted, rcond=None)
        return found / scale, wanted - (columns / scale) @ found

    def criterion(self, breaks: Sequence[tuple[Kind, float]]) -> float:
        """The misfit and what its parameters cost: lower is better."""
        _, residuals = self.fit(breaks)
        # A place is a parameter as well, and one of many that could have been taken: the extended
        # criterion of Chen and Chen (2008).
        count = 2 + sum(3 if kind == "jump" else 2 for kind, _ in breaks)
        places = 2 * len(breaks) * math.log(max(2, len(self.sizes) - 1))
        return float(residuals @ residuals) + count * math.log(len(self.sizes)) + places


def pieces(
    sizes: npt.ArrayLike, costs: npt.ArrayLike, noise: npt.ArrayLike, most: int = 3
) -> Pieces:
    """The straight pieces of a curve.

    Args:
        sizes: rising, each once.
        costs: one for each.
        noise: the standard deviation of each cost, in their unit; positive.
        most: breaks that are looked for.

    Raises:
        CnbenchError: the sizes do not rise, or the three are not as many.
    """
    curve = _curve(sizes, costs, noise)
    found: list[tuple[Kind, float]] = []
    while len(found) < most:
        better = _with_one_more(curve, found)
        if better is None or curve.criterion(found) - curve.criterion(better) < VERY_STRONG:
            break
        found = better
    found.sort(key=lambda candidate: candidate[1])
    _, residuals = curve.fit(found)
    described = tuple(_described(curve, found, number) for number in range(len(found)))
    return Pieces(described, float(np.abs(residuals).max()), curve.criterion(found))


def _curve(sizes: npt.ArrayLike, costs: npt.ArrayLike, noise: npt.ArrayLike) -> _Curve:
    curve = _Curve(*(np.asarray(values, dtype=float) for values in (sizes, costs, noise)))
    if not curve.sizes.shape == curve.costs.shape == curve.noise.shape:
        raise CnbenchError("as many costs and noises as sizes are needed")
    if np.any(np.diff(curve.sizes) <= 0) or np.any(curve.noise <= 0):
        raise CnbenchError("sizes must rise, and noise be positive")
    return curve


def _with_one_more(
    curve: _Curve, found: Sequence[tuple[Kind, float]]
) -> list[tuple[Kind, float]] | None:
    """``found`` with the break that takes most, all places adjusted; None where none fits."""
    tried = [[*found, candidate] for candidate in _candidates(curve, found)]
    if not tried:
        return None
    best = min(tried, key=curve.criterion)
    for _ in range(_MOST_ROUNDS if len(best) > 1 else 0):
        before = list(best)
        for number in range(len(best)):
            others = best[:number] + best[number + 1 :]
            again = [[*others, candidate] for candidate in _candidates(curve, others)]
            best = min([best, *again], key=curve.criterion)
        if best == before:
            break
    return best


def _candidates(
    curve: _Curve, others: Sequence[tuple[Kind, float]]
) -> Iterator[tuple[Kind, float]]:
    """Places for one more break beside ``others``; each piece keeps points enough for a slope."""
    for left, right in pairwise(curve.sizes):
        edges = sorted([-math.inf, *(place for _, place in others), left, math.inf])
        if not all(_held(curve, low, high) for low, high in pairwise(edges)):
            continue
        yield "jump", float(np.sqrt(max(left, 1e-9) * right) if left > 0 else (left + right) / 2)
        for place in np.linspace(left, right, _PLACES_BETWEEN, endpoint=False):
            yield "bend", float(place)


def _held(curve: _Curve, low: float, high: float) -> bool:
    inside = (curve.sizes > low) & (curve.sizes <= high)
    return int(inside.sum()) >= _FEWEST_IN_A_PIECE


def _described(curve: _Curve, found: Sequence[tuple[Kind, float]], number: int) -> Break:
    kind, place = found[number]
    others = [other for index, other in enumerate(found) if index != number]
    with_it = curve.criterion(found)
    near = [
        (other, curve.criterion([*others, (kind, other)]) - with_it)
        for its_kind, other in _candidates(curve, others)
        if its_kind == kind
    ]
    fine = [other for other, worse in near if worse <= _WORSE] or [place]
    parameters, _ = curve.fit(found)
    slopes, steps = _slopes_and_steps(parameters, found)
    low, high = min(place, *fine), max(place, *fine)
    if kind == "jump":  # it lies anywhere between two points
        low, high = _neighbours(curve, low)[0], _neighbours(curve, high)[1]
    return Break(
        kind,
        place,
        low,
        high,
        slopes[number],
        slopes[number + 1],
        steps[number],
        curve.criterion(others) - with_it,
    )


def _slopes_and_steps(
    parameters: Floats, found: Sequence[tuple[Kind, float]]
) -> tuple[list[float], list[float]]:
    """The slope of each piece, and the step at each break."""
    slopes, steps, at = [float(parameters[1])], [], 2
    for kind, _ in found:
        slopes.append(slopes[-1] + float(parameters[at]))
        steps.append(float(parameters[at + 1]) if kind == "jump" else 0.0)
        at += 2 if kind == "jump" else 1
    return slopes, steps


def _neighbours(curve: _Curve, place: float) -> tuple[float, float]:
    """The sizes on both sides of ``place``."""
    after = int(np.searchsorted(curve.sizes, place, side="right"))
    return float(curve.sizes[after - 1]), float(curve.sizes[min(after, len(curve.sizes) - 1)])
