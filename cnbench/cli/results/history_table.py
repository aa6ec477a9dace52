"""A kernel history as a table in a terminal: a line a case, a column a kernel."""

from __future__ import annotations

from rich.markup import escape

from cnbench.analysis.chapters import Chapter, chapters_of
from cnbench.analysis.kernel_series import KernelHistory, Series, histories_of
from cnbench.analysis.rows import Row
from cnbench.cli.wide_tables import Column, console, print_table
from cnbench.core.run import Run
from cnbench.core.units import FRACTION, format_quantity
from cnbench.stats.changepoint import Step


def print_history(run: Run) -> None:
    """The medians of every case on every kernel; a step's size beside the first after it."""
    out = console()
    for chapter in chapters_of([run]):
        for history in histories_of(chapter):
            title = f"[bold]{escape(chapter.name)}: {escape(history.metric.name)}[/]"
            legend = "[dim]coloured: a step; *: out of line[/]"
            print_table(out, _columns(chapter, history), f"{title}  {legend}")


def _columns(chapter: Chapter, history: KernelHistory) -> list[Column]:
    alike = chapter.having(history.metric.name)
    cases = (escape(alike.label(series.measured[0].case)) for series in history.series)
    found = [_cells(series) for series in history.series]
    return [
        Column("case", tuple(cases), telling=len(found) > 1, sentences=True),
        *(
            Column(escape(kernel), tuple(cells.get(kernel, "–") for cells in found), right=True)
            for kernel in history.kernels
        ),
    ]


def _cells(series: Series) -> dict[str, str]:
    steps = {step.index: step for step in series.steps or ()}
    return {
        kernel: _cell(row, steps.get(index)) + ("*" if index in series.out_of_line else "")
        for index, (kernel, row) in enumerate(zip(series.kernels, series.rows, strict=True))
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
