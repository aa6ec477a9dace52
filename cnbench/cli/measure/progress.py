"""How far a measurement is, on stderr: a bar on a terminal, a line a group elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cnbench.cli.terminal import SafeConsole
from cnbench.core.units import format_quantity
from cnbench.experiments.registry import experiment_called
from cnbench.measuring.events import (
    BlockEnded,
    CaseEnded,
    Event,
    GroupEnded,
    GroupStarted,
    LabAdvanced,
    Listener,
    Warned,
    WentOn,
    WorkAdvanced,
)

# Where nothing can be overwritten, long work is told at most so often.
_SECONDS_BETWEEN_LINES = 10


@dataclass
class _UnderWay:
    """A group that is measured now.

    Attributes:
        started: what was told when it began.
        place: the how-manieth of all groups it is, in the order in which they began.
        began: when, by the monotonic clock.
        said: when a line about it was last printed.
        blocks: how many it has taken.
        done: the share of it that is done, as far as can be told.
        work: what long work is at, if there is any.
        task: its own line under the bar, where there is one.
    """

    started: GroupStarted
    place: int
    began: float = field(default_factory=time.monotonic)
    said: float = field(default_factory=time.monotonic)
    blocks: int = 0
    done: float = 0.0
    work: str = ""
    task: TaskID | None = None

    @property
    def now(self) -> str:
        """What is being done, in a few words."""
        return self.work or _title(self.started)


class _Teller:
    """Keeps what is known of the whole while events come in; several groups may be under way."""

    def __init__(self, groups: int, console: Console, bar: Progress | None) -> None:
        self._groups = groups
        self._begun = self._ended = 0
        self._console = console
        self._bar = bar
        self._task = bar.add_task("setting up", total=groups) if bar else None
        self._under_way: dict[int, _UnderWay] = {}
        self._gone_on: list[str] = []

    def listen(self, event: Event) -> None:
        if isinstance(event, GroupStarted):
            self._begin(event)
        elif isinstance(event, WorkAdvanced):
            self._show_work(event)
        elif isinstance(event, BlockEnded):
            self._end_block(event)
        elif isinstance(event, CaseEnded) and event.result.status == "failed":
            self._print(f"  failed: {event.result.case.point}: {event.result.reason}")
        elif isinstance(event, GroupEnded):
            self._end(event.number)
        elif isinstance(event, LabAdvanced):
            self._show_lab(event)
        elif isinstance(event, WentOn):
            self._gone_on.append(event.saved)
        elif isinstance(event, Warned):
            self._print(f"  {event.message}")

    def close(self) -> None:
        """Say how far those are that were under way at the end."""
        for number in list(self._under_way):
            self._end(number)
        if self._gone_on:
            oldest = min(self._gone_on).replace("T", " ")
            self._print(
                f"{len(self._gone_on)} of {self._begun} groups went on from where a guest had set"
                f" them up before, the oldest at {oldest}; --anew sets up again"
            )

    def _begin(self, event: GroupStarted) -> None:
        # A group that is tried once more is begun again, and keeps its place.
        before = self._under_way.pop(event.number, None)
        self._begun += before is None
        group = _UnderWay(event, before.place if before else self._begun)
        group.task = before.task if before else self._add_line()
        self._under_way[event.number] = group
        self._show()

    def _end_block(self, event: BlockEnded) -> None:
        if group := self._under_way.get(event.number):
            group.blocks, group.work = event.block + 1, ""
            group.done = _share_done(group.started, event)
            self._show()

    def _end(self, number: int) -> None:
        group = self._under_way.pop(number, None)
        if group is None:
            return
        self._ended += 1
        if self._bar is not None and group.task is not None:
            self._bar.remove_task(group.task)
        elif group.blocks:
            spent = format_quantity(time.monotonic() - group.began, "s")
            self._print(f"{self._heading(group)}: {group.blocks} blocks in {spent}")
        self._show()

    def _show_lab(self, event: LabAdvanced) -> None:
        if self._bar is not None and self._task is not None:
            if not self._under_way:
                self._bar.update(self._task, description=f"guest: {event.what}")
        else:
            self._print(f"guest: {event.what}")

    def _show_work(self, event: WorkAdvanced) -> None:
        group = self._under_way.get(event.group)
        if group is None:
            return
        group.work = _work(event)
        if self._bar is not None:
            self._show()
            return
        now = time.monotonic()
        if now - group.said >= _SECONDS_BETWEEN_LINES:
            group.said = now
            which = f"{self._heading(group)}: " if len(self._under_way) > 1 else ""
            self._print(f"  {which}{format_quantity(now - group.began, 's')}: {group.work}")

    def _add_line(self) -> TaskID | None:
        return self._bar.add_task("", total=1.0, visible=False) if self._bar is not None else None

    def _show(self) -> None:
        """The whole on the bar; below it a line for each group, where several are under way."""
        if self._bar is None or self._task is None:
            return
        groups = list(self._under_way.values())
        if len(groups) == 1:
            (only,) = groups
            self._bar.update(self._task, description=f"{self._count(only)} {only.now}")
        elif groups:
            several = f"[{self._ended}/{self._groups}] {len(groups)} guests at once"
            self._bar.update(self._task, description=several)
        self._bar.update(self._task, completed=self._ended + sum(group.done for group in groups))
        for group in groups:
            if group.task is not None:
                shown = f"  {self._count(group)} {group.now}"
                self._bar.update(
                    group.task, description=shown, completed=group.done, visible=len(groups) > 1
                )

    def _heading(self, group: _UnderWay) -> str:
        return f"{self._count(group)} {_title(group.started)}"

    def _count(self, group: _UnderWay) -> str:
        return f"[{group.place}/{self._groups}]"

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def _title(group: GroupStarted) -> str:
    telling = dict(experiment_called(group.experiment).show(group.params))
    if group.kernel:
        telling["kernel"] = group.kernel
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
