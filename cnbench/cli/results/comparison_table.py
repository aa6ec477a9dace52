"""A comparison as a table in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.markup import escape

from cnbench.analysis.compared import (
    BETWEEN_RUNS,
    WHAT_WOULD_TELL,
    Compared,
    questions,
)
from cnbench.cli.tables import show_median, show_noise, show_value
from cnbench.cli.wide_tables import Column, console, print_table
from cnbench.core.units import FRACTION, format_quantity
from cnbench.stats.many import LEVEL
from cnbench.stats.verdict import Verdict

# An autocorrelation that makes an interval a third wider, at least.
_LARGE_MEMORY = 0.3

_COLOURS = {
    Verdict.BETTER: "green",
    Verdict.WORSE: "red",
    Verdict.EQUIVALENT: "default",
    Verdict.INCONCLUSIVE: "yellow",
}


def print_comparison(compared: Sequence[Compared], units: Mapping[str, Mapping[str, str]]) -> None:
    """One line a case and metric, with the reason of each verdict that leaves something open."""
    out = console()
    print_table(out, [*_telling(compared, units), *_figures(compared)])
    for reason in dict.fromkeys(
        comparison.judgement.reason
        for comparison in compared
        if comparison.judgement.verdict == Verdict.INCONCLUSIVE
    ):
        out.print(f"  [yellow]inconclusive[/]: {escape(reason)}")
    for note in notes(compared):
        out.print(f"  {note}")


def notes(compared: Sequence[Compared]) -> list[str]:
    """What every reader of these intervals must know, a sentence each."""
    said = [
        f"[yellow]{unknown}: unknown[/]. The intervals marked * are what the blocks of these"
        f" {'runs' if unknown == BETWEEN_RUNS else 'set-ups'} tell, and another draw may lie"
        f" outside; what would tell: {WHAT_WOULD_TELL[unknown]}"
        for unknown in dict.fromkeys(
            comparison.unknown for comparison in compared if comparison.unknown
        )
    ]
    remembering = [
        comparison
        for comparison in compared
        if comparison.rests_on.autocorrelation >= _LARGE_MEMORY
    ]
    if remembering:
        most = max(comparison.rests_on.autocorrelation for comparison in remembering)
        said.append(
            f"Blocks resemble their neighbours in {len(remembering)} of {len(compared)} lines"
            f" (autocorrelation up to {most:.1f}), so that fewer of them count"
        )
    count = questions(compared)
    if count > 1:
        said.append(
            f"Of {count} intervals of 95 % {count * LEVEL:.2g} miss by chance; better and worse"
            f" are called so that the chance of any false one is {LEVEL:.0%} for all together"
        )
    return said


def _drawn(comparison: Compared) -> str:
    """What was drawn: ``12 blocks``, ``8 set-ups``, ``3 runs``; * if that is not all."""
    rests_on = comparison.rests_on
    many = "" if rests_on.units == 1 else "s"
    return f"{rests_on.units} {rests_on.unit}{many}{'*' if comparison.unknown else ''}"


def _telling(
    compared: Sequence[Compared], units: Mapping[str, Mapping[str, str]]
) -> Iterator[Column]:
    """What tells one comparison from another, a parameter that differs between A and B included."""
    points = [_point(comparison, units[comparison.b.case.experiment]) for comparison in compared]
    for name in dict.fromkeys(name for point in points for name in point):
        yield Column(escape(name), tuple(point.get(name, "") for point in points), telling=True)


def _point(comparison: Compared, units: Mapping[str, str]) -> dict[str, str]:
    a, b = comparison.a.case, comparison.b.case
    point = {"experiment": escape(b.experiment)}
    for name in b.params:
        before, after = (show_value(case.params[name], units[name]) for case in (a, b))
        point[name] = escape(after if before == after else f"{before} → {after}")
    if a.kernel == b.kernel != "":
        point["kernel"] = escape(b.kernel)
    return point | {"metric": escape(comparison.metric.name)}


def _figures(compared: Sequence[Compared]) -> list[Column]:
    def column(heading: str, show: Callable[[Compared], str], *, right: bool = True) -> Column:
        return Column(heading, tuple(map(show, compared)), right=right)

    a, b = _headings(compared)
    return [
        column(a, lambda comparison: show_median(comparison.a)),
        column(b, lambda comparison: show_median(comparison.b)),
        column("B against A, 95 % interval", _effect),
        column("of", _drawn, right=False),
        column(
            "noise",
            lambda comparison: show_noise(comparison.metric, comparison.noise, comparison.b.unit),
        ),
        column("verdict", _verdict, right=False),
    ]


def _verdict(comparison: Compared) -> str:
    verdict = comparison.judgement.verdict
    return f"[{_COLOURS[verdict]}]{verdict}[/]"


def _headings(compared: Sequence[Compared]) -> tuple[str, str]:
    """What A and B are: with their kernels, where these are what differs."""
    kernels = {(comparison.a.kernel, comparison.b.kernel) for comparison in compared}
    if len(kernels) == 1:
        ((a, b),) = kernels
        if a != b:
            return escape(f"A: {a}"), escape(f"B: {b}")
    return "A", "B"


def _effect(comparison: Compared) -> str:
    """The effect and its interval: ``+3.2 %  [+2.9 %, +3.5 %]``."""
    if comparison.metric.scale == "ratio":
        ends = (
            comparison.effect.estimate - 1,
            comparison.effect.low - 1,
            comparison.effect.high - 1,
        )
        unit = FRACTION
    else:
        ends, unit = (
            (comparison.effect.estimate, comparison.effect.low, comparison.effect.high),
            comparison.b.unit,
        )
    effect, low, high = (format_quantity(end, unit, signed=True) for end in ends)
    return f"{effect}  [dim]{low} – {high}[/]"
