"""A comparison as a table in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.markup import escape

from cnbench.analysis.compared import Compared
from cnbench.analysis.compared_text import Units, notes, points, reasons, unknowns
from cnbench.cli.tables import show_median, show_noise
from cnbench.cli.wide_tables import Column, console, print_table
from cnbench.core.units import FRACTION, format_quantity
from cnbench.stats.verdict import Verdict

_COLOURS = {
    Verdict.BETTER: "green",
    Verdict.WORSE: "red",
    Verdict.EQUIVALENT: "default",
    Verdict.INCONCLUSIVE: "yellow",
}


def print_comparison(compared: Sequence[Compared], units: Units) -> None:
    """One line a case and metric, with the reason of each verdict that leaves something open."""
    out = console()
    print_table(out, [*_telling(compared, units), *_figures(compared)])
    for reason in reasons(compared):
        out.print(f"  [yellow]inconclusive[/]: {escape(reason)}")
    for unknown, told in unknowns(compared):
        out.print(f"  [yellow]{unknown}: unknown[/]. {told}")
    for note in notes(compared):
        out.print(f"  {note}")


def _drawn(comparison: Compared) -> str:
    """What was drawn: ``12 blocks``, ``8 set-ups``, ``3 runs``; * if that is not all."""
    rests_on = comparison.rests_on
    many = "" if rests_on.units == 1 else "s"
    return f"{rests_on.units} {rests_on.unit}{many}{'*' if comparison.unknown else ''}"


def _telling(compared: Sequence[Compared], units: Units) -> Iterator[Column]:
    """What tells one comparison from another, a parameter that differs between A and B included."""
    found = points(compared, units)
    for name in dict.fromkeys(name for point in found for name in point):
        cells = tuple(escape(point.get(name, "")) for point in found)
        yield Column(escape(name), cells, telling=True)


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
