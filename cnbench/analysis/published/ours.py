"""Finding in a chapter what a published figure is about: a value, or two cases together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cnbench.analysis.chapters import Chapter, Measured
from cnbench.analysis.observed import values_in_pairs
from cnbench.analysis.published.figure import RATIO, FindOurs, Ours
from cnbench.core.parameter import Params, Value
from cnbench.stats.arrays import Floats
from cnbench.stats.paired import paired_difference, paired_ratio, unpaired_ratio


def value_of(metric: str, **params: Value) -> FindOurs:
    """The metric of every case that has all of ``params``; other parameters are free."""

    def find(chapter: Chapter) -> Sequence[Ours]:
        return [
            Ours(row.interval, row.unit, one.origin, setting(chapter, one, params))
            for one in chapter.ok
            if has(one, params) and (row := one.row(metric)) and row.interval
        ]

    return find


def sum_of(metrics: Sequence[str], **params: Value) -> FindOurs:
    """The metrics of one unit together, of every case that has ``params``.

    Its interval goes from the sum of the low ends to that of the high ends: it is too wide rather
    than too narrow, whatever the metrics have in common.
    """

    def find(chapter: Chapter) -> Sequence[Ours]:
        found = []
        for one in chapter.ok:
            rows = [row for name in metrics if (row := one.row(name))]
            parts = [row.interval for row in rows if row.interval]
            if has(one, params) and len(parts) == len(metrics):
                whole = replace(
                    parts[0],
                    estimate=sum(part.estimate for part in parts),
                    low=sum(part.low for part in parts),
                    high=sum(part.high for part in parts),
                )
                found.append(Ours(whole, rows[0].unit, one.origin, setting(chapter, one, params)))
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
        rows = [(one, row) for one in chapter.ok if has(one, params) and (row := one.row(metric))]
        below = {_alike(one, to): row for one, row in rows if has(one, to)}
        return [
            Ours(
                unpaired_ratio(below[alike].values, above.values),
                RATIO,
                one.origin,
                setting(chapter, one, {**params, **of}),
            )
            for one, above in rows
            if has(one, of) and (alike := _alike(one, of)) in below
        ]

    return find


def has(one: Measured, params: Params) -> bool:
    """Whether the case has these values of these parameters."""
    return all(one.case.params.get(name) == value for name, value in params.items())


def setting(chapter: Chapter, one: Measured, besides: Params) -> str:
    """In what the case differs from others of its chapter, ``besides`` left out."""
    return ", ".join(
        f"{name} {chapter.show(name, one.case.params.get(name))}"
        for name in chapter.varying
        if name not in besides
    )


@dataclass(frozen=True)
class _Pair:
    """Two cases that differ in what is asked about alone: their values, block by block."""

    one: Measured
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
    measured = [one for one in chapter.ok if has(one, params)]
    below = {_what_stays(one, to): one for one in measured if has(one, to)}
    for above in (one for one in measured if has(one, of)):
        other, row = below.get(_what_stays(above, of)), above.row(metric)
        if other is None or row is None or other.row(metric) is None:
            continue
        upper, lower = values_in_pairs(above.result.samples, other.result.samples, metric)
        if upper.size:
            told = setting(chapter, above, {**params, **of})
            yield _Pair(above, told, row.unit, upper, lower)


def _what_stays(one: Measured, without: Mapping[str, Value]) -> tuple[object, ...]:
    """All that a case must share with what it is divided by."""
    return (one.result.group, *_alike(one, without))


def _alike(one: Measured, without: Mapping[str, Value]) -> tuple[object, ...]:
    """The run, the place and all parameters, those of ``without`` left out."""
    rest = tuple((name, v) for name, v in one.case.params.items() if name not in without)
    return (one.run.id, one.origin, rest)
