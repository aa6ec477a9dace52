"""Samples as the statistics want them: values on the scale of differences, and what drew them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cnbench.core.metric import Metric
from cnbench.core.run import Sample
from cnbench.stats.effects import on_differences
from cnbench.stats.observations import Observations


def observed(samples: Sequence[Sample], metric: Metric) -> Observations:
    """Every sample that counts, its value as it is."""
    return _labelled(samples, [s.values[metric.name] for s in used(samples)])


def observed_differences(samples: Sequence[Sample], metric: Metric) -> Observations:
    """Every sample that counts, its value on the scale where differences have a meaning."""
    values = [s.values[metric.name] for s in used(samples)]
    return _labelled(samples, on_differences(values, metric.scale, metric.better, metric.name))


def in_shared_blocks(cases: Sequence[Sequence[Sample]], metric: Metric) -> list[Observations]:
    """Of each case the samples of the blocks that all of them have, on the scale of differences."""
    by_block = [{(s.repeat, s.block): s for s in used(samples)} for samples in cases]
    shared = sorted(set.intersection(*(set(blocks) for blocks in by_block)))
    return [
        observed_differences([blocks[block] for block in shared], metric) for blocks in by_block
    ]


def used(samples: Sequence[Sample]) -> list[Sample]:
    """The samples that count, in their order."""
    return [sample for sample in samples if not sample.replaced]


def _labelled(samples: Sequence[Sample], values: npt.ArrayLike) -> Observations:
    counted = used(samples)
    noted = [s.setup for s in counted if s.setup is not None]
    return Observations(
        np.asarray(values, dtype=np.float64),
        tuple(noted) if len(noted) == len(counted) else (),
        tuple(s.repeat for s in counted),
    )
