"""Integer arithmetic done by float64, where that is provably the same.

For integers 0 <= a and 0 < b with a + b <= 2**53, floor(a / b) computed as a correctly rounded
float64 division followed by floor is the integer quotient. Let k = floor(a / b) + 1. Rounding is
monotonic, so the computed quotient is at least k - 1; it is at least k only if a / b lies within
half a unit in the last place below k, that is k - a / b <= k * 2**-53. But k - a / b >= 1 / b,
and 1 / b > k * 2**-53 because k * b <= a + b <= 2**53 (where equality holds, k * b is a power of
two, the spacing below it is half as wide, and the bound holds again).
"""

from collections.abc import Callable

import numpy as np

from cnbench.scheduler.columns.arrays import Floats, Ints

MAX_SCORE = 100
# Raw scores up to here are looked up in a table; above, computed.
_TABLE_LIMIT = 4096


def floor_quotient(dividend: Floats, divisor: Floats | float) -> Floats:
    """floor(dividend / divisor), in place: integers held as float64, dividend >= 0.

    Exact as long as dividend + divisor <= 2**53 (see the module).
    """
    np.divide(dividend, divisor, out=dividend)
    return np.floor(dividend, out=dividend)


def whole(values: Floats) -> Ints:
    """Non-negative values with their fractions cut off (int64); they must be below 2**31.

    By way of int32, since processors convert to that several values at a time.
    """
    return values.astype(np.int32).astype(np.int64)


def by_table(scores: Ints, top: int, rule: Callable[[Ints], Ints]) -> Ints:
    """rule(scores), for 0 <= score <= top: looked up in a table of all results if that is small."""
    if top > _TABLE_LIMIT:
        return rule(scores)
    return rule(np.arange(top + 1)).take(scores)
