"""Carrying a plan out from the command line: progress, the run file, and a clean stop."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

import click

from cnbench.cli import gc
from cnbench.cli.progress import shown_on_stderr
from cnbench.core.errors import CnbenchError
from cnbench.measure.dispatch import measure
from cnbench.measure.events import Event, Warned
from cnbench.measure.plan import Plan
from cnbench.store.recorder import Recorder


def measure_and_record(plan: Plan, recorder: Recorder) -> None:
    """Measure ``plan`` into ``recorder``'s file.

    Raises:
        CnbenchError: the lab could not be opened, or the run file not be written.
        KeyboardInterrupt: stopped by the user; the run file has everything measured.
    """
    gc.sweep()
    recorder.save()  # a folder that cannot be written is found before anything is measured
    complete = False
    with _stoppable():
        try:
            with shown_on_stderr(len(plan.groups)) as progress:

                def listen(event: Event) -> None:
                    problem_before = recorder.problem
                    recorder.listen(event)
                    progress(event)
                    if recorder.problem and not problem_before:
                        progress(Warned(f"{recorder.problem}; it is tried again after every case"))

                measure(plan, listen)
            complete = True
        finally:
            recorder.finish(complete=complete)


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """Have Ctrl-C, or the SIGTERM that CI systems send, stop a run once.

    Later ones are ignored: they would cut short how what was measured is proven and kept, and how
    what was made is taken down. It is a matter of seconds; SIGKILL and `cnbench gc` remain.
    """
    stopping = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        if not stopping:
            stopping = True
            raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def warn(error: CnbenchError) -> None:
    """Say something on stderr that does not stop the command."""
    click.echo(f"cnbench: {error}", err=True)
    if error.remedy:
        click.echo(f"         {error.remedy}", err=True)
