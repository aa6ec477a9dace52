"""Finding in a chapter what a published figure is about: a value, or two cases together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cnbench.analysis.chapters import Chapter, ChapterEntry
from cnbench.analysis.observed import values_in_pairs
from cnbench.analysis.published.figure import RATIO, FindOurs, Ours
from cnbench.core.parameter import Params, Value
from cnbench.stats.arrays import Floats
from cnbench.stats.paired import paired_difference, paired_ratio, unpaired_ratio


def value_of(metric: str, **params: Value) -> FindOurs:
    """The metric of every case that has all of ``params``; other parameters are free."""

    def find(chapter: Chapter) -> Sequence[Ours]:
        return [
            Ours(row.interval, row.unit, entry.origin, setting(chapter, entry, params))
            for entry in chapter.ok
            if has(entry, params) and (row := entry.row(metric)) and row.interval
        ]

    return find


def sum_of(metrics: Sequence[str], **params: Value) -> FindOurs:
    """The metrics of one unit together, of every case that has ``params``.

    Its interval goes from the sum of the low ends to that of the high ends: it is too wide rather
    than too narrow, whatever the metrics have in common.
    """

    def find(chapter: Chapter) -> Sequence[Ours]:
        found = []
        for entry in chapter.ok:
            rows = [row for name in metrics if (row := entry.row(name))]
            parts = [row.interval for row in rows if row.interval]
            if has(entry, params) and len(parts) == len(metrics):
                whole = replace(
                    parts[0],
                    estimate=sum(part.estimate for part in parts),
                    low=sum(part.low for part in parts),
                    high=sum(part.high for part in parts),
                )
                found.append(
                    Ours(whole, rows[0].unit, entry.origin, setting(chapter, entry, params))
                )
        return found

    return find


def ratio_of(
    metric: str, of: Mapping[str, Value], to: Mapping[str, Value], **params: Value
) -> FindOurs:
    """The metric of the cases with ``of`` over that of the cases with ``to``, block by block.

    Both have all of ``params``, are equal in every other parameter, and shared their blocks: what
    was measured apart has no quotient that a busy machine leaves alone.
    """

    def find(chapter: Chapter) -> Sequence[Ours]:
        return [
            Ours(paired_ratio(pair.below, pair.above), RATIO, pair.one.origin, pair.setting)
            for pair in _pairs(chapter, metric, of, to, params)
        ]

    return find


def difference_of(
    metric: str, of: Mapping[str, Value], to: Mapping[str, Value], **params: Value
) -> FindOurs:
    """By how much the metric of the cases with ``of`` is above that of the cases with ``to``.

    In the metric's unit, and block by block as ``ratio_of``.
    """

    def find(chapter: Chapter) -> Sequence[Ours]:
        return [
            Ours(
                paired_difference(pair.below, pair.above), pair.unit, pair.one.origin, pair.setting
            )
            for pair in _pairs(chapter, metric, of, to, params)
        ]

    return find


def ratio_apart(
    metric: str, of: Mapping[str, Value], to: Mapping[str, Value], **params: Value
) -> FindOurs:
    """As ``ratio_of``, for cases of one run that share no blocks: what no block interleaves."""

    def find(chapter: Chapter) -> Sequence[Ours]:
        rows = [
            (entry, row)
            for entry in chapter.ok
            if has(entry, params) and (row := entry.row(metric))
        ]
        below = {_alike(entry, to): row for entry, row in rows if has(entry, to)}
        return [
            Ours(
                unpaired_ratio(below[alike].values, above.values),
                RATIO,
                entry.origin,
                setting(chapter, entry, {**params, **of}),
            )
            for entry, above in rows
            if has(entry, of) and (alike := _alike(entry, of)) in below
        ]

    return find


def has(entry: ChapterEntry, params: Params) -> bool:
    """Whether the case has these values of these parameters."""
    return all(entry.case.params.get(name) == value for name, value in params.items())


def setting(chapter: Chapter, entry: ChapterEntry, besides: Params) -> str:
    """In what the case differs from others of its chapter, ``besides`` left out."""
    return ", ".join(
        f"{name} {chapter.show(name, entry.case.params.get(name))}"
        for name in chapter.varying
        if name not in besides
    )


@dataclass(frozen=True)
class _Pair:
    """Two cases that differ in what is asked about alone: their values, block by block."""

    one: ChapterEntry
    setting: str
    unit: str
    above: Floats
    below: Floats


def _pairs(
    chapter: Chapter,
    metric: str,
    of: Mapping[str, Value],
    to: Mapping[str, Value],
    params: Params,
) -> Iterator[_Pair]:
    measured = [entry for entry in chapter.ok if has(entry, params)]
    below = {_what_stays(entry, to): entry for entry in measured if has(entry, to)}
    for above in (entry for entry in measured if has(entry, of)):
        other, row = below.get(_what_stays(above, of)), above.row(metric)
        if other is None or row is None or other.row(metric) is None:
            continue
        upper, lower = values_in_pairs(above.result.samples, other.result.samples, metric)
        if upper.size:
            told = setting(chapter, above, {**params, **of})
            yield _Pair(above, told, row.unit, upper, lower)


def _what_stays(entry: ChapterEntry, without: Mapping[str, Value]) -> tuple[object, ...]:
    """All that a case must share with what it is divided by."""
    return (entry.result.group, *_alike(entry, without))


def _alike(entry: ChapterEntry, without: Mapping[str, Value]) -> tuple[object, ...]:
    """The run, the place and all parameters, those of ``without`` left out."""
    rest = tuple((name, v) for name, v in entry.case.params.items() if name not in without)
    return (entry.run.id, entry.origin, rest)
