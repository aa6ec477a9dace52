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
from cnbench.measure.events import Event
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
    with _terminated_is_interrupted():
        try:
            with shown_on_stderr(len(plan.groups)) as progress:

                def listen(event: Event) -> None:
                    recorder.listen(event)
                    progress(event)

                measure(plan, listen)
            complete = True
        finally:
            recorder.finish(complete=complete)


@contextlib.contextmanager
def _terminated_is_interrupted() -> Iterator[None]:
    """Have SIGTERM, which CI systems send, stop a run as cleanly as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def warn(error: CnbenchError) -> None:
    """Say something on stderr that does not stop the command."""
    click.echo(f"cnbench: {error}", err=True)
    if error.remedy:
        click.echo(f"         {error.remedy}", err=True)
