"""Samples as the statistics want them: values on the scale of differences, and what drew them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from cnbench.core.metric import Metric
from cnbench.core.run import Sample
from cnbench.stats.arrays import Floats
from cnbench.stats.effects import on_differences
from cnbench.stats.observations import Observations
from cnbench.store.columns import Columns, columns_of


def observed(samples: Sequence[Sample], metric: Metric) -> Observations:
    """Every sample that counts, its value as it is."""
    columns = columns_of(samples)
    places = np.flatnonzero(columns.used)
    return _with_labels(columns, places, columns.values(metric.name)[places])


def observed_differences(samples: Sequence[Sample], metric: Metric) -> Observations:
    """Every sample that counts, its value on the scale where differences have a meaning."""
    columns = columns_of(samples)
    return _differences(columns, np.flatnonzero(columns.used), metric)


def in_shared_blocks(cases: Sequence[Sequence[Sample]], metric: Metric) -> list[Observations]:
    """Of each case the samples of the blocks that all of them have, on the scale of differences."""
    several = [columns_of(samples) for samples in cases]
    return [
        _differences(columns, places, metric)
        for columns, places in zip(several, _in_shared_blocks(several), strict=True)
    ]


def values_by_block(samples: Sequence[Sample], metric: str) -> Floats:
    """The value that counts in each block, in the order of the blocks."""
    columns = columns_of(samples)
    return columns.values(metric)[columns.by_block[1]]


def blocks_in(samples: Sequence[Sample]) -> int:
    """How many blocks have a sample that counts."""
    return int(columns_of(samples).by_block[0].size)


def values_in_pairs(
    one: Sequence[Sample], other: Sequence[Sample], metric: str
) -> tuple[Floats, Floats]:
    """The values of two cases that shared their blocks, in the blocks that have both."""
    first, second = columns_of(one), columns_of(other)
    of_first, of_second = _in_shared_blocks([first, second])
    return first.values(metric)[of_first], second.values(metric)[of_second]


_Places: TypeAlias = npt.NDArray[np.int64]


def _differences(columns: Columns, places: _Places, metric: Metric) -> Observations:
    values = columns.values(metric.name)[places]
    found = on_differences(values, metric.scale, metric.better, metric.name)
    return _with_labels(columns, places, found)


def _in_shared_blocks(several: Sequence[Columns]) -> list[_Places]:
    """The places of the samples that count in blocks that all have, in the order of the blocks."""
    found = [columns.by_block for columns in several]
    shared = found[0][0]
    for blocks, _ in found[1:]:
        shared = np.intersect1d(shared, blocks, assume_unique=True)
    return [places[np.searchsorted(blocks, shared)] for blocks, places in found]


def _with_labels(columns: Columns, places: _Places, values: Floats) -> Observations:
    setups = columns.whole("setup")[places]
    noted = setups.size and setups.min() >= 0
    return Observations(values, setups if noted else setups[:0], columns.whole("repeat")[places])
