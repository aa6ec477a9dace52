"""A kernel history as a table in a terminal: a line a case, a column a kernel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.markup import escape

from cnbench.analysis.chapters import Chapter, chapters_of
from cnbench.analysis.kernel_series import (
    KernelHistory,
    Series,
    histories_of,
    short_releases,
)
from cnbench.analysis.rows import Row
from cnbench.cli.tables import show_noise
from cnbench.cli.wide_tables import Column, console, print_table
from cnbench.core.kernels.release import release_order
from cnbench.core.run import Run
from cnbench.core.units import FRACTION, format_quantity
from cnbench.stats.changepoint import Step

# Of a unit what is left out of every cell, so that four kernels fit beside each other, and what the
# title says instead.
_SAID_ONCE = {
    "instructions": (" instr", ", in instructions"),
    "virtual ns": ("virtual ", ", in the guest's time: an instruction is 1 ns, waiting is skipped"),
}
_NOTHING = ("", "")
# Of those that one reason leaves without a figure.
_MOST_NAMED = 3


def print_history(run: Run) -> None:
    """The medians of every case on every kernel; a step's size before the first figure after it.

    What is in a cell is said below the table: its reader has not read how steps are found.
    """
    out = console()
    for chapter in chapters_of([run]):
        called = _short_names(chapter)
        histories = histories_of(chapter)
        if not histories:
            out.print(f"[bold]{escape(chapter.name)}[/]")
        for history in histories:
            print_table(out, _columns(chapter, history, called), _title(chapter, history))
            for line in _what_signs_mean(chapter, history):
                out.print(f"[dim]{line}[/]")
            out.print()
        for line in _without_figures(chapter, called):
            out.print(line)
        if alike := " ".join(f"{name}={value}" for name, value in chapter.constant.items()):
            out.print(f"[dim]in all cases: {escape(alike)}[/]")
        out.print(f"[dim]kernels: {escape(', '.join(called))}[/]")


def _short_names(chapter: Chapter) -> dict[str, str]:
    """The kernels of a chapter, in their order, and what its tables call them."""
    kernels = sorted({entry.origin.kernel for entry in chapter.measured}, key=release_order)
    return dict(zip(kernels, short_releases(kernels), strict=True))


def _title(chapter: Chapter, history: KernelHistory) -> str:
    _, said = _SAID_ONCE.get(history.metric.unit_on(history.clock), _NOTHING)
    summary = escape(f"{history.metric.summary}{said}")
    return f"[bold]{escape(chapter.name)}: {escape(history.metric.name)}[/]  [dim]{summary}[/]"


def _columns(chapter: Chapter, history: KernelHistory, called: dict[str, str]) -> list[Column]:
    found = [_cells(series) for series in history.series]
    costs = [
        Column(escape(called[kernel]), tuple(cells.get(kernel, "–") for cells in found), right=True)
        for kernel in history.kernels
    ]
    labels = _labels(chapter, history)
    if labels == (escape(chapter.name),):  # the only case: the title says it
        return costs
    return [Column("case", labels, telling=len(found) > 1, sentences=True), *costs]


def _labels(chapter: Chapter, history: KernelHistory) -> tuple[str, ...]:
    alike = chapter.having(history.metric.name)
    return tuple(escape(alike.label(series.measured[0].case)) for series in history.series)


def _cells(series: Series) -> dict[str, str]:
    steps = {step.index: step for step in series.steps or ()}
    return {
        kernel: _cell(row, steps.get(index)) + ("*" if index in series.out_of_line else "")
        for index, (kernel, row) in enumerate(zip(series.kernels, series.rows, strict=True))
    }


def _cell(row: Row, step: Step | None) -> str:
    left_out, _ = _SAID_ONCE.get(row.unit, _NOTHING)
    median = row.metric.show(row.interval.estimate, row.clock) if row.interval else "–"
    median = median.replace(left_out, "")
    if step is None:
        return median
    change = step.effect.estimate
    size = (
        format_quantity(change - 1, FRACTION, signed=True)
        if row.metric.scale == "ratio"
        else format_quantity(change, row.unit, signed=True)
    )
    return f"[yellow]{size.replace(left_out, '')}[/]  {median}"


def _what_signs_mean(chapter: Chapter, history: KernelHistory) -> Iterator[str]:
    """A line for each sign that the table has, and for each case that could have had none."""
    told = [series for series in history.series if series.steps is not None]
    if any(series.steps for series in told):
        yield (
            "A change before a figure is a step: the cost differs from the kernels to its left by"
            f" more than its noise ({_noise_of(told)})."
        )
    elif told:
        yield f"No step: what these differ by is within their noise ({_noise_of(told)})."
    if any(series.out_of_line for series in history.series):
        yield "*: off the level of its neighbours on both sides, and no step."
    labels = _labels(chapter, history)
    unknown = [name for name, one in zip(labels, history.series, strict=True) if one.steps is None]
    if unknown:
        yield f"Whether these step cannot be told, for want of an interval: {', '.join(unknown)}."


def _noise_of(told: Sequence[Series]) -> str:
    """What two measurements of one kernel may differ by, from the least of the cases to the most.

    Of a case that no step is told of, it says how large a change would have been one.
    """
    by_noise = sorted(told, key=lambda series: series.noise)
    unit = by_noise[0].rows[0].unit
    left_out, _ = _SAID_ONCE.get(unit, _NOTHING)
    ends = [show_noise(one.rows[0].metric, one.noise, unit) for one in by_noise]
    return " to ".join(dict.fromkeys((ends[0], ends[-1]))).replace(left_out, "")


def _without_figures(chapter: Chapter, called: dict[str, str]) -> Iterator[str]:
    """What was not measured on which kernels, and why: a table shows a dash there, or no line."""
    kernels: dict[tuple[str, str, str], list[str]] = {}
    for entry in chapter.measured:
        if not entry.ok:
            key = (chapter.label(entry.case), entry.result.status, entry.result.reason)
            kernels.setdefault(key, []).append(called[entry.origin.kernel])
    cases: dict[tuple[str, str, str], list[str]] = {}
    for (label, status, reason), names in kernels.items():
        cases.setdefault((status, ", ".join(names), reason), []).append(label)
    for (status, where, reason), labels in cases.items():
        colour = "yellow" if status == "unsupported" else "red"
        which = ", ".join(labels) if len(labels) <= _MOST_NAMED else f"{len(labels)} cases"
        yield f"[{colour}]{status}[/]: {escape(f'{which} on {where}: {reason}')}"
