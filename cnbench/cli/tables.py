"""A run as tables in a terminal."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from cnbench.cli.wide_tables import Column, console, print_table
from cnbench.core.metric import Metric
from cnbench.core.parameter import Value
from cnbench.core.run import Run
from cnbench.core.units import format_exact, format_quantity

if TYPE_CHECKING:  # rows come with the statistics, which `list` and `doctor` have no use for
    from cnbench.analysis.rows import Row

# More do not fit beside each other with their intervals; --json and the report have them all.
_METRICS_SHOWN_IN_FULL = 3


def print_run(run: Run, rows: Sequence[Row], path: Path) -> None:
    """One table an experiment, then what could not be measured and why."""
    out = console()
    for name, group in itertools.groupby(rows, key=lambda row: row.case.experiment):
        of_experiment = list(group)
        for measured in _with_equal_metrics(of_experiment):
            _print_results(out, run, name, measured)
        for line in _not_measured(of_experiment):
            out.print(line)
        out.print()
    out.print(f"run [bold]{escape(run.id)}[/] in {escape(str(path))}")


def _print_results(out: Console, run: Run, name: str, rows: Sequence[Row]) -> None:
    units = run.experiments[name].parameters
    by_case = _by_case(rows)
    where = " ".join(rows[0].case.where)
    print_table(
        out,
        [*_parameters(by_case, units), *_figures(by_case), *_about(by_case)],
        f"[bold]{escape(name)}[/]  {escape(where)}",
    )


def _parameters(by_case: Sequence[Sequence[Row]], units: Mapping[str, str]) -> Iterator[Column]:
    for name in by_case[0][0].case.params:
        cells = [show_value(rows[0].case.params[name], units[name]) for rows in by_case]
        yield Column(name, tuple(map(escape, cells)), telling=True, right=units[name] != "")


def _figures(by_case: Sequence[Sequence[Row]]) -> Iterator[Column]:
    for metric in zip(*by_case, strict=True):
        in_full = _in_full(metric[0], by_case[0])
        name = metric[0].metric.name
        cells = tuple(show_interval(row) if in_full else show_median(row) for row in metric)
        yield Column(f"{name}, 95 % interval" if in_full else name, cells, right=True)


def _about(by_case: Sequence[Sequence[Row]]) -> Iterator[Column]:
    first = [rows[0] for rows in by_case]

    def column(heading: str, show: Callable[[Row], str]) -> Column:
        return Column(heading, tuple(map(show, first)), about=True, right=True)

    yield column("noise floor", lambda row: show_noise(row.metric, row.noise, row.unit))
    yield column("blocks", lambda row: str(row.blocks))
    yield column("disturbed", _show_disturbed)
    yield column("proof", lambda row: "[green]✓[/]" if row.proof.holds else "[red]✗[/]")


def _show_disturbed(row: Row) -> str:
    return f"{row.disturbed} (+{row.replaced})" if row.replaced else str(row.disturbed)


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
    """The median and its interval, where there are blocks enough for one; its unit said once."""
    if row.interval is None:
        return "–"
    median = show_median(row)
    if not row.interval.bounded:
        return f"{median}  [dim]too few blocks[/]"
    signed = row.metric.better == "zero"
    ends = [
        format_quantity(value, row.unit, signed=signed)
        for value in (row.interval.low, row.interval.high)
    ]
    unit = median.partition(" ")[2]
    if all(end.partition(" ")[2] == unit for end in ends):
        ends = [end.partition(" ")[0] for end in ends]
    return f"{median}  [dim]{' – '.join(ends)}[/]"


def show_median(row: Row) -> str:
    """The median alone."""
    if row.interval is None:
        return "–"
    return format_quantity(row.interval.estimate, row.unit, signed=row.metric.better == "zero")


def show_noise(metric: Metric, noise: float | None, unit: str) -> str:
    """A noise floor, relative for a ratio metric and in its unit for an additive one."""
    if noise is None:
        return "unknown"
    return "±" + metric.show_floor(noise, unit)


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
