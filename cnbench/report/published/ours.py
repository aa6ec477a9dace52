"""Finding in a chapter what a published figure is about: a value, or the quotient of two cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cnbench.core.parameter import Params, Value
from cnbench.report.published.figure import RATIO, FindOurs, Ours
from cnbench.report.rows import values_by_block
from cnbench.report.selection import Chapter, Measured
from cnbench.stats.paired import paired_ratio


def value_of(metric: str, **params: Value) -> FindOurs:
    """The metric of every case that has all of ``params``; other parameters are free."""

    def find(chapter: Chapter) -> Sequence[Ours]:
        return [
            Ours(row.interval, row.unit, one.place, setting(chapter, one, params))
            for one in chapter.ok
            if has(one, params) and (row := one.row(metric)) and row.interval
        ]

    return find


def ratio_of(
    metric: str, of: Mapping[str, Value], to: Mapping[str, Value], **params: Value
) -> FindOurs:
    """The metric of the cases with ``of`` over that of the cases with ``to``, block by block.

    Both have all of ``params``, are equal in every other parameter, and shared their blocks: what
    was measured apart has no quotient that a busy machine leaves alone.
    """

    def find(chapter: Chapter) -> Sequence[Ours]:
        measured = [one for one in chapter.ok if has(one, params) and one.row(metric)]
        return list(_quotients(chapter, measured, metric, of, to, params))

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


def _quotients(
    chapter: Chapter,
    measured: Sequence[Measured],
    metric: str,
    of: Mapping[str, Value],
    to: Mapping[str, Value],
    params: Params,
) -> Iterator[Ours]:
    below = {_what_stays(one, to): one for one in measured if has(one, to)}
    for above in (one for one in measured if has(one, of)):
        other = below.get(_what_stays(above, of))
        if other is None:
            continue
        one, two = (values_by_block(m.result.samples, metric) for m in (other, above))
        both = sorted(one.keys() & two.keys())
        if both:
            interval = paired_ratio([one[b] for b in both], [two[b] for b in both])
            yield Ours(interval, RATIO, above.place, setting(chapter, above, {**params, **of}))


def _what_stays(one: Measured, without: Mapping[str, Value]) -> tuple[object, ...]:
    """All that a case must share with what it is divided by."""
    rest = tuple((name, v) for name, v in one.case.params.items() if name not in without)
    return (one.run.id, one.result.group, one.place, rest)
