"""The one way values enter the statistics: as a checked array of floats."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from cnbench.core.errors import CnbenchError

Floats: TypeAlias = npt.NDArray[np.float64]


def as_values(values: npt.ArrayLike, what: str = "values") -> Floats:
    """``values`` as an array of shape (n,), n >= 1, all finite; ``what`` names it in errors.

    Raises:
        CnbenchError: empty, not one-dimensional, or a value that is not a finite number.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise CnbenchError(f"{what}: expected one value a block, got an array {array.shape}")
    if array.size == 0:
        raise CnbenchError(f"{what}: there are no values", "measure at least one block")
    finite = np.isfinite(array)
    if not finite.all():
        where = int(np.argmin(finite))
        raise CnbenchError(f"{what}: value {where} is {array[where]}, which is not a finite number")
    return array


def as_positive(values: npt.ArrayLike, what: str = "values") -> Floats:
    """``values`` as an array of shape (n,), n >= 1, finite and above zero.

    Raises:
        CnbenchError: as ``as_values``, or a value that is zero or negative.
    """
    array = as_values(values, what)
    if array.min() <= 0:
        where = int(np.argmax(array <= 0))
        raise CnbenchError(
            f"{what}: value {where} is {array[where]:g}, and a ratio needs values above zero",
            "compare this metric on the additive scale",
        )
    return array


def log_of(values: npt.ArrayLike, what: str = "values") -> Floats:
    """The natural logarithms of positive ``values``, shape (n,).

    Raises:
        CnbenchError: as ``as_positive``.
    """
    logs: Floats = np.log(as_positive(values, what))
    return logs


def median(values: Floats) -> float:
    """The median of finite ``values`` (shape (n,), n >= 1), in their unit.

    ``np.median`` does the same after ten times as much work on axes and NaN, and comparisons take
    some thousand medians of a dozen values.
    """
    ordered = np.sort(values)
    n = ordered.size
    return float(ordered[(n - 1) // 2] / 2 + ordered[n // 2] / 2)


def exp_of(log: float) -> float:
    """The exponential of a logarithm, infinite where it is too large for a float."""
    try:
        return math.exp(log)
    except OverflowError:
        return math.inf
