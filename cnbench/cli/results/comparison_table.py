"""A comparison as a table in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from cnbench.analysis.compared import Compared
from cnbench.cli.tables import console, show_median, show_noise, show_value
from cnbench.core.units import FRACTION, format_quantity
from cnbench.stats.verdict import Verdict

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
    for heading in ("case", "metric", a, b, "B against A, 95 % interval", "noise", "verdict"):
        table.add_column(heading)
    for one in compared:
        colour = _COLOURS[one.judgement.verdict]
        table.add_row(
            escape(_case_name(one, units[one.b.case.experiment])),
            one.metric.name,
            show_median(one.a),
            show_median(one.b),
            _effect(one),
            show_noise(one.metric, one.noise, one.b.unit),
            f"[{colour}]{one.judgement.verdict}[/]",
        )
    out.print(table)
    for reason in dict.fromkeys(
        one.judgement.reason for one in compared if one.judgement.verdict == Verdict.INCONCLUSIVE
    ):
        out.print(f"  [yellow]inconclusive[/]: {escape(reason)}")


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
