"""Which part of a trace a case's figure stands for.

A sample's figure is the difference of two readings of the clock, less what the idler ran where that
is left out. On the instruction clock such a difference is a number of instructions, and the trace
has each reading in it, so the part is found by its length: between readings of one thread, with as
few others in between as possible, such that most of the traced samples have one of their length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cnbench.analysis.profile.trace import Trace, Whole

# Figures are medians or means of a few such differences, which differ by a little.
TOLERANCE = 0.005
_MOST_READINGS_BETWEEN = 400
_NOBODY = -1


@dataclass(frozen=True)
class Span:
    """A part of a trace.

    Attributes:
        first: the first of its segments.
        last: the last.
        left_out: a thread whose instructions are none of the case's (the idler); -1 for none.
        reader: the thread that read the clock.
        instructions: its length.
        figure: what the sample said.
    """

    first: int
    last: int
    left_out: int
    reader: int
    instructions: int
    figure: float

    @property
    def off(self) -> float:
        """How far the two are from each other, as a share of the figure."""
        return abs(self.instructions - self.figure) / self.figure


def find_span(trace: Trace, figures: Sequence[float]) -> Span | None:
    """The part of ``trace`` that the last of ``figures`` (instructions) stands for.

    Returns:
        None where no rule finds a part for more than half of them.
    """
    for rule in _rules(trace):
        found = [_nearest(rule, figure) for figure in figures]
        fitting = [span for span in found if span and span.off <= TOLERANCE]
        if 2 * len(fitting) > len(figures):
            return min(fitting, key=lambda span: span.off)
    return None


@dataclass(frozen=True)
class _Rule:
    """Candidates: ``distance`` readings apart, without the instructions of ``left_out``."""

    first: Whole
    last: Whole
    lengths: Whole
    left_out: int
    reader: int


def _rules(trace: Trace) -> Iterator[_Rule]:
    """The simplest first: neighbouring readings of the busiest reader, and nothing left out."""
    executed = _executed_by_thread(trace)
    readers, times = np.unique(trace.reader, return_counts=True)
    for distance in range(1, _MOST_READINGS_BETWEEN):
        for reader in readers[np.argsort(-times)].tolist():
            places = np.flatnonzero(trace.reader == reader)
            if len(places) <= distance:
                continue
            begin, end = places[:-distance], places[distance:]
            whole = trace.reading[end] - trace.reading[begin]
            yield _Rule(begin + 1, end, whole, _NOBODY, reader)
            for thread, so_far in executed.items():
                if thread != reader:
                    less = whole - (so_far[end] - so_far[begin])
                    yield _Rule(begin + 1, end, less, thread, reader)


def _executed_by_thread(trace: Trace) -> dict[int, Whole]:
    """What each thread had executed at each reading; those that executed most first."""
    thread = trace.thread[trace.context]
    ids, total = np.unique(thread, return_inverse=True)
    table = np.zeros((len(ids), len(trace.reading)), dtype=np.int64)
    np.add.at(table, (total, trace.segment), trace.count)
    by_most = np.argsort(-table.sum(axis=1))[:8]
    return {int(ids[row]): np.cumsum(table[row]) for row in by_most}


def _nearest(rule: _Rule, figure: float) -> Span | None:
    if not len(rule.lengths) or figure <= 0:
        return None
    place = int(np.argmin(np.abs(rule.lengths - figure)))
    return Span(
        int(rule.first[place]),
        int(rule.last[place]),
        rule.left_out,
        rule.reader,
        int(rule.lengths[place]),
        figure,
    )
