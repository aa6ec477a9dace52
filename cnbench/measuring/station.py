"""A subject among those of a block, and how well all of them are known."""

from __future__ import annotations

import base64
import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from cnbench.core.case import Case
from cnbench.core.metric import Metric
from cnbench.core.run import Sample
from cnbench.measuring.events import Captured
from cnbench.measuring.rotation import InTurn
from cnbench.measuring.stop_rule import paired_precision, precision

DENIED = "the kernel's counters deny what was sampled in this block"


@dataclass
class Station:
    """One case among those of a block, with what is known of it so far."""

    case: Case
    subject: InTurn
    setup: float
    twin: bool = False
    samples: list[Sample] = field(default_factory=list)
    error: Exception | None = None

    def used(self, metric: str) -> list[float]:
        """The values of ``metric`` that count, one a block."""
        return [sample.values[metric] for sample in self.samples if not sample.replaced]

    @contextlib.contextmanager
    def failing(self) -> Iterator[None]:
        """Keep what goes wrong inside as this station's error: the others go on without it."""
        try:
            yield
        except Exception as error:
            self.error = error

    def is_denied(self, block: int) -> bool:
        """Whether the kernel's counters say something else than was sampled in ``block``."""
        denied = False
        if self.error is None:
            with self.failing():
                denied = not self.subject.account(self.subject.of_block(block))
        return denied

    def discard(self, block: int) -> None:
        """Use none of the samples of ``block``, which are denied."""
        self.samples = [
            replace(sample, disturbances=(*sample.disturbances, DENIED), replaced=True)
            if sample.block == block
            else sample
            for sample in self.samples
        ]


def least_precise(stations: Sequence[Station], metrics: Sequence[Metric]) -> float:
    """The precision of what is least known: of each case, and of the noise floor.

    By the headline, the first of ``metrics`` that a case has; infinite while one has too few
    values. Comparisons are what a group is for, and the noise floor bounds what they can tell: by
    how much A′ seems to differ from A, and half the width of that interval. The first is seldom
    more than the second if both are the same, so twice the second stands for the floor. (The floor
    itself would not do: sampling would end whenever A′ looked like A by chance.)
    """
    working = [station for station in stations if station.error is None]
    known = [_precision(station, metrics) for station in working]
    for twin in working:
        if twin.twin:
            known += [
                2 * _pair_precision(station, twin, metrics)
                for station in working
                if station is not twin and station.case == twin.case
            ]
    return max(known, default=math.inf)


def _precision(station: Station, metrics: Sequence[Metric]) -> float:
    headline = _headline(station, metrics)
    return precision(station.used(headline.name), headline)


def _pair_precision(station: Station, twin: Station, metrics: Sequence[Metric]) -> float:
    headline = _headline(station, metrics)
    return paired_precision(station.used(headline.name), twin.used(headline.name), headline)


def _headline(station: Station, metrics: Sequence[Metric]) -> Metric:
    given = station.samples[0].values
    return next(metric for metric in metrics if metric.name in given)


def captures_of(stations: Sequence[Station]) -> list[Captured]:
    """The packets that the proofs of ``stations`` have kept."""
    return [
        Captured(station.case, base64.b64encode(kept).decode())
        for station in stations
        if not station.twin and station.error is None
        if (kept := station.subject.capture()) is not None
    ]
