"""Carrying a plan out from the command line: progress, the run file, and a clean stop."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import click

from cnbench.cli.machine import gc
from cnbench.cli.measure.progress import shown_on_stderr
from cnbench.core import stopping
from cnbench.core.experiment import Experiment
from cnbench.core.run import Request
from cnbench.experiments.registry import experiment_called
from cnbench.measuring.dispatch import measure
from cnbench.measuring.events import Event, Listener, Warned
from cnbench.measuring.plan import Plan, left_out
from cnbench.store.captures import CaptureFolder
from cnbench.store.recorder import Recorder


def say_what_is_left_out(
    request: Request, experiments: Callable[[str], Experiment] = experiment_called
) -> None:
    """Name on stderr what was asked for in vain: it makes no sense."""
    for case in left_out(request, experiments):
        shown = experiments(case.experiment).show(case.params)
        point = " ".join(f"{name}={value}" for name, value in shown.items())
        click.echo(f"left out: {case.experiment} {point}: {case.reason}", err=True)


def measure_and_record(
    plans: Sequence[Plan],
    recorder: Recorder,
    captures: CaptureFolder | None = None,
    jobs: int | None = None,
    anew: bool = False,
) -> None:
    """Measure ``plans``, one a repeat, into ``recorder``'s file, and packets into ``captures``.

    ``jobs`` guests count instructions at once; all of them are set up ``anew`` if that is asked.

    Raises:
        CnbenchError: the lab could not be opened, or the run file not be written.
        KeyboardInterrupt: stopped by the user; the run file has everything measured.
    """
    gc.sweep()
    with (
        shown_on_stderr(sum(len(plan.groups) for plan in plans)) as progress,
        recording(recorder, progress, captures) as listen,
    ):
        for repeat, plan in enumerate(plans):
            recorder.repeat = repeat
            measure(replace(plan, anew=anew or plan.anew), listen, jobs)


@contextlib.contextmanager
def recording(
    recorder: Recorder, progress: Listener, captures: CaptureFolder | None = None
) -> Iterator[Listener]:
    """A listener that keeps what it is told, and passes it on to ``progress``.

    On leaving, the file has all of it; complete, unless it is left by an error.

    Raises:
        CnbenchError: the run file cannot be written.
    """
    recorder.begin()  # a folder that cannot be written is found before anything is measured
    complete = False

    def listen(event: Event) -> None:
        problem_before = recorder.problem
        recorder.listen(event)
        if captures:
            captures.listen(event)
        progress(event)
        if recorder.problem and not problem_before:
            progress(Warned(f"{recorder.problem}; it is tried again after every case"))

    try:
        yield listen
        complete = True
    finally:
        with stopping.held():
            recorder.finish(complete=complete)
