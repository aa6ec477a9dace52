"""Series of results with steps that are known, and who finds them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from evidence.models import Floats, remembering
from evidence.others import seekers

from cnbench.stats.changepoint import steps
from cnbench.stats.intervals import Interval

# Of what separate runs differ by, this much is what the blocks of a run tell.
_TOLD = 0.25
# A step is found where it is, or two places beside.
_BESIDE = 2


@dataclass(frozen=True)
class Kind:
    """A shape, in logarithms: what is added to the noise, and where it steps."""

    shape: Floats
    places: tuple[int, ...] = ()
    memory: float = 0.0


def kinds(length: int) -> Mapping[str, Kind]:
    """Series of ``length`` places."""
    half, third = length // 2, length // 3
    at = np.arange(length)
    flat = np.zeros(length)
    return {
        "no step": Kind(flat),
        "AR(1) 0.5": Kind(flat, memory=0.5),
        "an outlier of 10 %": Kind(np.where(at == half, 0.1, 0.0)),
        "a step of 0.2 %": Kind(np.where(at >= half, 0.002, 0.0), (half,)),
        "a step of 1 %": Kind(np.where(at >= half, 0.01, 0.0), (half,)),
        "0.2 % for two places": Kind(
            np.where((at >= half) & (at < half + 2), 0.002, 0.0), (half, half + 2)
        ),
        "two steps of 5 %": Kind(
            np.where((at >= third) & (at < 2 * third), 0.05, 0.0), (third, 2 * third)
        ),
        "a ramp of 5 %": Kind(0.05 * at / length),
    }


def ours(levels: Floats, noise: float) -> list[int]:
    """The steps that cnbench finds; it is told what the blocks of a run tell."""
    reach = 1.96 * _TOLD * noise
    series = [
        Interval(math.exp(v), math.exp(v - reach), math.exp(v + reach)) for v in levels.tolist()
    ]
    return [step.index for step in steps(series, noise=0, scale="ratio")]


def sought(
    length: int, kind: Kind, noise: float, trials: int, seed: int, *, others: bool = True
) -> dict[str, tuple[float, float]]:
    """The share of series with a step too many, and with all of ``kind``'s, by who looks."""
    looking = {"cnbench": ours, **(seekers() if others else {})}
    found: dict[str, list[tuple[bool, bool]]] = {}
    for number in range(trials):
        rng = np.random.default_rng([seed, length, number])
        levels = kind.shape + noise * remembering(rng, kind.memory, (length,))
        for name, seek in looking.items():
            places = seek(levels, noise)
            near = [any(abs(p - at) <= _BESIDE for p in places) for at in kind.places]
            found.setdefault(name, []).append((len(places) > len(kind.places), all(near)))
    return {
        name: (sum(f for f, _ in of) / trials, sum(a for _, a in of) / trials)
        for name, of in found.items()
    }
