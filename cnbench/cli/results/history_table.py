"""A kernel history as a table in a terminal: a line a case, a column a kernel."""

from __future__ import annotations

from rich import box
from rich.markup import escape
from rich.table import Table

from cnbench.analysis.chapters import Chapter, chapters_of
from cnbench.analysis.kernel_series import KernelHistory, Series, histories_of
from cnbench.analysis.rows import Row
from cnbench.cli.tables import console
from cnbench.core.run import Run
from cnbench.core.units import FRACTION, format_quantity
from cnbench.stats.changepoint import Step


def print_history(run: Run) -> None:
    """The medians of every case on every kernel; a step's size beside the first after it."""
    out = console()
    for chapter in chapters_of([run]):
        for history in histories_of(chapter):
            out.print(_table(chapter, history))


def _table(chapter: Chapter, history: KernelHistory) -> Table:
    alike = chapter.having(history.metric.name)
    table = Table(
        title=f"[bold]{escape(chapter.name)}: {escape(history.metric.name)}[/]  "
        "[dim]coloured: a step[/]",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("case")
    for kernel in history.kernels:
        table.add_column(escape(kernel), justify="right")
    for one in history.series:
        cells = _cells(one)
        table.add_row(
            escape(alike.label(one.measured[0].case)),
            *(cells.get(kernel, "–") for kernel in history.kernels),
        )
    return table


def _cells(one: Series) -> dict[str, str]:
    steps = {step.index: step for step in one.steps or ()}
    return {
        kernel: _cell(row, steps.get(place))
        for place, (kernel, row) in enumerate(zip(one.kernels, one.rows, strict=True))
    }


def _cell(row: Row, step: Step | None) -> str:
    median = row.metric.show(row.interval.estimate, row.clock) if row.interval else "–"
    if step is None:
        return median
    change = step.effect.estimate
    size = (
        format_quantity(change - 1, FRACTION, signed=True)
        if row.metric.scale == "ratio"
        else format_quantity(change, row.unit, signed=True)
    )
    return f"[yellow]{size}[/]  {median}"
