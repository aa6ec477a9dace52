"""Percentiles of what was observed, without interpolation."""

from __future__ import annotations

import math
from collections.abc import Sequence


def nearest_rank(values: Sequence[float], share: float) -> float:
    """The smallest of ``values`` that at least ``share`` (above 0, up to 1) of them do not exceed.

    Definition 1 of Hyndman & Fan, "Sample Quantiles in Statistical Packages", The American
    Statistician 50 (1996) 361-365. Raises IndexError where there are no values.
    """
    return sorted(values)[math.ceil(share * len(values)) - 1]
