"""A smooth curve as the other explanation: what bends everywhere has no break anywhere."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnbench.stats.arrays import Floats

# Between a square root and what nobody waits for.
_EXPONENTS = np.round(np.arange(0.3, 4.001, 0.01), 2)
# Of a straight line, which is no curve.
_STRAIGHT = 1.0
_PARAMETERS = 3


@dataclass(frozen=True, slots=True)
class Growth:
    """``cost = fixed + coefficient * size ** exponent``.

    Attributes:
        exponent: 1 is a line, 2 a walk over all of them for each.
        low, high: where the exponent lies (95 %), as far as the noise tells.
        criterion: the misfit and what its parameters cost, as `Pieces.criterion`.
    """

    exponent: float
    low: float
    high: float
    criterion: float

    @property
    def is_straight(self) -> bool:
        """Whether a line does as well."""
        return self.low <= _STRAIGHT <= self.high


def growth(sizes: npt.ArrayLike, costs: npt.ArrayLike, noise: npt.ArrayLike) -> Growth:
    """The power law with a fixed part that fits best; arguments as of `pieces`."""
    x, y, spread = (np.asarray(values, dtype=float) for values in (sizes, costs, noise))
    misfits = np.array([_misfit(x, y, spread, float(exponent)) for exponent in _EXPONENTS])
    best = int(misfits.argmin())
    # Chi-squared with one degree of freedom, 95 %; where even the best fits badly, in its measure.
    scale = max(1.0, misfits[best] / max(1, len(x) - _PARAMETERS))
    near = _EXPONENTS[misfits <= misfits[best] + 3.84 * scale]
    criterion = float(misfits[best]) + _PARAMETERS * math.log(len(x))
    return Growth(float(_EXPONENTS[best]), float(near.min()), float(near.max()), criterion)


def _misfit(x: Floats, y: Floats, spread: Floats, exponent: float) -> float:
    powers = (x / x.max()) ** exponent
    columns = np.column_stack([np.ones_like(x), powers]) / spread[:, None]
    wanted = y / spread
    found, *_ = np.linalg.lstsq(columns, wanted, rcond=None)
    residuals = wanted - columns @ found
    return float(residuals @ residuals)
