"""How far a measurement is, on stderr: a bar on a terminal, a line a group elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from cnbench.cli.terminal import SafeConsole
from cnbench.core.units import format_quantity
from cnbench.experiments.registry import experiment_called
from cnbench.measuring.events import (
    BlockEnded,
    CaseEnded,
    Event,
    GroupStarted,
    LabAdvanced,
    Listener,
    Warned,
    WorkAdvanced,
)

# Where nothing can be overwritten, long work is told at most so often.
_SECONDS_BETWEEN_LINES = 10


class _Teller:
    """Keeps what is known of the whole while events come in."""

    def __init__(self, groups: int, console: Console, bar: Progress | None) -> None:
        self._groups = groups
        self._begun = 0
        self._console = console
        self._bar = bar
        self._task = bar.add_task("setting up", total=groups) if bar else None
        self._group: GroupStarted | None = None
        self._last_block: BlockEnded | None = None
        self._began = self._last_line = time.monotonic()

    def listen(self, event: Event) -> None:
        if isinstance(event, GroupStarted):
            self._end_group()
            self._group = event
            self._begun += 1
            self._began = self._last_line = time.monotonic()
            self._show(0.0)
        elif isinstance(event, WorkAdvanced):
            self._show_work(event)
        elif isinstance(event, BlockEnded):
            self._last_block = event
            if self._group:
                self._show(_share_done(self._group, event))
        elif isinstance(event, CaseEnded) and event.result.status == "failed":
            self._console.print(
                f"  failed: {event.result.case.point}: {event.result.reason}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
        elif isinstance(event, LabAdvanced):
            self._show_lab(event)
        elif isinstance(event, Warned):
            self._console.print(f"  {event.message}", markup=False, highlight=False, soft_wrap=True)

    def _show(self, done: float) -> None:
        if self._bar is not None and self._task is not None and self._group:
            self._bar.update(
                self._task,
                description=self._heading,
                completed=self._begun - 1 + done,
            )

    def _show_lab(self, event: LabAdvanced) -> None:
        self._end_group()
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=f"guest: {event.what}")
        else:
            self._console.print(f"guest: {event.what}", markup=False, highlight=False)

    def _show_work(self, event: WorkAdvanced) -> None:
        now = time.monotonic()
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=f"{self._count} {_work(event)}")
        elif now - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._last_line = now
            spent = format_quantity(now - self._began, "s")
            self._console.print(
                f"  {spent}: {_work(event)}", markup=False, highlight=False, soft_wrap=True
            )

    @property
    def _heading(self) -> str:
        return f"{self._count} {_title(self._group)}"

    @property
    def _count(self) -> str:
        return f"[{self._begun}/{self._groups}]"

    def _end_group(self) -> None:
        if self._bar is None and self._group and self._last_block:
            self._console.print(
                f"{self._heading}: {self._last_block.block + 1} blocks in "
                f"{format_quantity(time.monotonic() - self._began, 's')}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
        self._last_block = None

    def close(self) -> None:
        self._end_group()


def _title(group: GroupStarted | None) -> str:
    if group is None:
        return ""
    telling = experiment_called(group.experiment).show(group.params)
    return " ".join([group.experiment, *(f"{name}={value}" for name, value in telling.items())])


def _work(event: WorkAdvanced) -> str:
    """Such as ``mode=nftables (A′): 1,000 of 50,000 services' chains``."""
    variant = experiment_called(event.case.experiment).variant
    again = " (A′)" if event.twin else ""
    which = f"{variant}={event.case.params[variant]}{again}"
    return f"{which}: {event.what}"


def _share_done(group: GroupStarted, event: BlockEnded) -> float:
    of_budget = event.spent / max(group.budget, 1e-9)
    return min(1.0, max(of_budget, (event.block + 1) / group.most_blocks))


@contextlib.contextmanager
def shown_on_stderr(groups: int) -> Iterator[Listener]:
    """A listener that shows progress over ``groups``, as fits where stderr goes."""
    console = SafeConsole(stderr=True)
    if not console.is_terminal:
        teller = _Teller(groups, console, None)
        yield teller.listen
        teller.close()
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=16),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        teller = _Teller(groups, console, bar)
        yield teller.listen
        teller.close()
