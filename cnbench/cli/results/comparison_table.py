"""A comparison as a table in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from cnbench.analysis.compared import (
    BETWEEN_RUNS,
    WHAT_WOULD_TELL,
    Compared,
    questions,
)
from cnbench.cli.tables import console, show_median, show_noise, show_value
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
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    a, b = _headings(compared)
    for heading in ("case", "metric", a, b, "B against A, 95 % interval", "of", "noise", "verdict"):
        table.add_column(heading)
    for one in compared:
        colour = _COLOURS[one.judgement.verdict]
        table.add_row(
            escape(_case_name(one, units[one.b.case.experiment])),
            one.metric.name,
            show_median(one.a),
            show_median(one.b),
            _effect(one),
            _drawn(one),
            show_noise(one.metric, one.noise, one.b.unit),
            f"[{colour}]{one.judgement.verdict}[/]",
        )
    out.print(table)
    for reason in dict.fromkeys(
        one.judgement.reason for one in compared if one.judgement.verdict == Verdict.INCONCLUSIVE
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
        for unknown in dict.fromkeys(one.unknown for one in compared if one.unknown)
    ]
    remembering = [one for one in compared if one.rests_on.autocorrelation >= _LARGE_MEMORY]
    if remembering:
        most = max(one.rests_on.autocorrelation for one in remembering)
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


def _drawn(one: Compared) -> str:
    """What was drawn independently: ``12 blocks``, ``8 set-ups``, ``3 runs``; * if that is not all."""
    rests_on = one.rests_on
    many = "" if rests_on.units == 1 else "s"
    return f"{rests_on.units} {rests_on.unit}{many}{'*' if one.unknown else ''}"


def _headings(compared: Sequence[Compared]) -> tuple[str, str]:
    """What A and B are: with their kernels, where these are what differs."""
    kernels = {(one.a.kernel, one.b.kernel) for one in compared}
    if len(kernels) == 1:
        ((a, b),) = kernels
        if a != b:
            return escape(f"A: {a}"), escape(f"B: {b}")
    return "A", "B"


def _case_name(one: Compared, units: Mapping[str, str]) -> str:
    a, b = one.a.case.params, one.b.case.params
    parts = [f"{name}={show_value(b[name], units[name])}" for name in b if a[name] == b[name]]
    parts += [
        f"{name}={show_value(a[name], units[name])} → {show_value(b[name], units[name])}"
        for name in b
        if a[name] != b[name]
    ]
    if one.a.case.kernel == one.b.case.kernel != "":
        parts.append(f"kernel={one.b.case.kernel}")
    return " ".join([one.b.case.experiment, *parts])


def _effect(one: Compared) -> str:
    """The effect and its interval: ``+3.2 %  [+2.9 %, +3.5 %]``."""
    if one.metric.scale == "ratio":
        ends = (one.effect.estimate - 1, one.effect.low - 1, one.effect.high - 1)
        unit = FRACTION
    else:
        ends, unit = (one.effect.estimate, one.effect.low, one.effect.high), one.b.unit
    effect, low, high = (format_quantity(end, unit, signed=True) for end in ends)
    return f"{effect}  [dim]{low} – {high}[/]"
