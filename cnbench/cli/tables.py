"""A run as tables in a terminal."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cnbench.cli.terminal import SafeConsole
from cnbench.core.metric import Metric
from cnbench.core.parameter import Value
from cnbench.core.run import Run
from cnbench.core.units import FRACTION, format_exact, format_quantity

if TYPE_CHECKING:  # rows come with the statistics, which `list` and `doctor` have no use for
    from cnbench.analysis.rows import Row

# More do not fit beside each other with their intervals; --json and the report have them all.
_METRICS_SHOWN_IN_FULL = 3


def console() -> Console:
    """stdout; wide enough for a table where it is not a terminal."""
    found = SafeConsole(highlight=False)
    return found if found.is_terminal else SafeConsole(highlight=False, width=240)


def print_run(run: Run, rows: Sequence[Row], path: Path) -> None:
    """One table an experiment, then what could not be measured and why."""
    out = console()
    for name, group in itertools.groupby(rows, key=lambda row: row.case.experiment):
        of_experiment = list(group)
        for measured in _with_equal_metrics(of_experiment):
            out.print(_results(run, name, measured))
        for line in _not_measured(of_experiment):
            out.print(line)
        out.print()
    out.print(f"run [bold]{escape(run.id)}[/] in {escape(str(path))}")


def _results(run: Run, name: str, rows: Sequence[Row]) -> Table:
    units = run.experiments[name].parameters
    by_case = _by_case(rows)
    varying, constant = _varying([case_rows[0] for case_rows in by_case], units)
    where = " ".join(rows[0].case.where)
    table = Table(
        title=f"[bold]{escape(name)}[/]  {escape(where)}  [dim]{escape(constant)}[/]",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for parameter in varying:
        table.add_column(escape(parameter), justify="left" if units[parameter] == "" else "right")
    for row in by_case[0]:
        heading = f"{row.metric.name}, 95 % interval" if _in_full(row, by_case[0]) else None
        table.add_column(
            escape(heading or row.metric.name), justify="right", no_wrap=heading is not None
        )
    for heading in ("noise floor", "blocks", "disturbed", "proof"):
        table.add_column(heading, justify="right")
    for case_rows in by_case:
        table.add_row(*_cells(case_rows, varying, units))
    return table


def _cells(case_rows: Sequence[Row], varying: Sequence[str], units: Mapping[str, str]) -> list[str]:
    first = case_rows[0]
    return [
        *(escape(show_value(first.case.params[name], units[name])) for name in varying),
        *(
            show_interval(row) if _in_full(row, case_rows) else show_median(row)
            for row in case_rows
        ),
        show_noise(first.metric, first.noise, first.unit),
        str(len(first.values)),
        f"{first.disturbed} (+{first.replaced})" if first.replaced else str(first.disturbed),
        "[green]✓[/]" if first.proof.holds else "[red]✗[/]",
    ]


def _with_equal_metrics(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows that have values, cut by where they were measured and which metrics there are.

    Each part is a table, whose title says where.
    """
    tables: dict[tuple[str, ...], list[Row]] = {}
    for case_rows in _by_case([row for row in rows if row.interval]):
        alike = (*case_rows[0].case.where, *(row.metric.name for row in case_rows))
        tables.setdefault(alike, []).extend(case_rows)
    return list(tables.values())


def _in_full(row: Row, case_rows: Sequence[Row]) -> bool:
    """Whether a metric is shown with its interval: of many metrics, only the headline is."""
    return len(case_rows) <= _METRICS_SHOWN_IN_FULL or row is case_rows[0]


def show_value(value: Value, unit: str) -> str:
    """A parameter's value as a person writes it."""
    return value if isinstance(value, str) else format_exact(value, unit)


def show_interval(row: Row) -> str:
    """The median and its interval, where there are blocks enough for one."""
    if row.interval is None:
        return "–"
    signed = row.metric.better == "zero"
    low, high = (
        format_quantity(value, row.unit, signed=signed)
        for value in (row.interval.low, row.interval.high)
    )
    median = show_median(row)
    return f"{median}  [dim]{f'{low} – {high}' if row.interval.bounded else 'too few blocks'}[/]"


def show_median(row: Row) -> str:
    """The median alone."""
    if row.interval is None:
        return "–"
    return format_quantity(row.interval.estimate, row.unit, signed=row.metric.better == "zero")


def show_noise(metric: Metric, noise: float | None, unit: str) -> str:
    """A noise floor, relative for a ratio metric and in its unit for an additive one."""
    if noise is None:
        return "unknown"
    return "±" + format_quantity(noise, FRACTION if metric.scale == "ratio" else unit)


def _not_measured(rows: Iterable[Row]) -> list[str]:
    """A line for each reason, with the number of cases that it holds for."""
    cases: dict[tuple[str, str, str], set[str]] = {}
    for row in rows:
        if row.status != "ok":
            cases.setdefault((row.status, row.reason, row.remedy), set()).add(row.case.key)
    return [
        f"  [{'yellow' if status == 'unsupported' else 'red'}]{len(keys)} "
        f"{'case' if len(keys) == 1 else 'cases'} {status}[/]: {escape(reason)}"
        + (f" [dim]→ {escape(remedy)}[/]" if remedy else "")
        for (status, reason, remedy), keys in cases.items()
    ]


def _by_case(rows: Sequence[Row]) -> list[list[Row]]:
    return [list(group) for _, group in itertools.groupby(rows, key=lambda row: row.case.key)]


def _varying(rows: Sequence[Row], units: Mapping[str, str]) -> tuple[list[str], str]:
    """The parameters that differ between rows, and the others in words."""
    names = list(rows[0].case.params)
    varying = [name for name in names if len({row.case.params[name] for row in rows}) > 1]
    constant = [
        f"{name}={show_value(rows[0].case.params[name], units[name])}"
        for name in names
        if name not in varying
    ]
    return varying, " ".join(constant)
