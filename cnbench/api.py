"""cnbench in Python: the same questions as on the command line, answered as objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from cnbench.analysis.compared import Compared
from cnbench.analysis.comparison import compare_runs
from cnbench.core.errors import UsageError
from cnbench.core.parameter import Parameter, Value
from cnbench.core.run import Request, Run
from cnbench.experiments.registry import experiment_called
from cnbench.lab import journal
from cnbench.measuring.dispatch import measure as carry_out
from cnbench.measuring.events import Event
from cnbench.store import run_file
from cnbench.store.output import check
from cnbench.store.recorder import Recorder, new_run
from cnbench.store.repeats import plans_for
from cnbench.store.runs import begun_before, find_run, place_of

Given = Value | Iterable[Value]


def measure(
    experiment: str,
    *,
    full: bool = False,
    lab: Literal["auto", "host", "guest"] = "auto",
    clock: Literal["auto", "wall", "instructions"] = "auto",
    kernels: tuple[str, ...] = ("trixie",),
    budget: float | None = None,
    repeats: int = 1,
    jobs: int | None = None,
    seed: int = 1,
    output: str | Path | None = None,
    listen: Callable[[Event], None] = lambda event: None,
    **params: Given,
) -> Run:
    """Measure one experiment, as ``cnbench run`` does: in blocks, with proofs.

    ::

        run = cnbench.measure("cpu-quota", quota="20%", period=["10ms", "100ms"], budget=60)

    Args:
        experiment: its name; ``cnbench list`` has them.
        full: full values of what ``params`` does not give, instead of quick ones.
        lab: where to measure; ``auto`` takes the host for what it can do.
        clock: what time means; ``auto`` takes what the lab keeps best.
        kernels: what guests are booted with.
        budget: seconds for all sampling together; None gives each group its own.
        repeats: how many times the whole is measured; three tell what runs differ by.
        jobs: how many guests count instructions at once; None takes as many as there are
            processors and memory for. What is timed always runs alone.
        seed: of the block order.
        output: the run file that is written after every case; None names one in the results folder.
        listen: told everything as it happens (`cnbench.measuring.events`), in the measuring thread.
        params: parameter to a value or several; as written after ``-p``, or numbers in base units.

    Returns:
        The run: a case that could not be measured or proven is in it, and says why.

    Raises:
        UsageError: there is no such experiment, parameter or value, or the file cannot be written.
        UnsupportedError: it needs a guest, which cannot be had here.
        KeyboardInterrupt: Ctrl-C; the run file has everything that was measured.
    """
    of = experiment_called(experiment)
    given = {name: _values(of.parameter(name), value) for name, value in params.items()}
    request = Request(
        (of.name,), full, {of.name: given}, lab, clock, budget, seed, kernels, repeats=repeats
    )
    run = new_run(request, [of])
    path = Path(output or place_of(run))
    check(path, "run file", run_file.begins_one, force=False)
    recorder = Recorder(run, path)
    journal.collect()
    plans = plans_for(run)
    recorder.begin()
    complete = False

    def tell(event: Event) -> None:
        recorder.listen(event)
        listen(event)

    try:
        for repeat, plan in enumerate(plans):
            recorder.repeat = repeat
            carry_out(plan, tell, jobs)
        complete = True
    finally:
        recorder.finish(complete=complete)
    return run


def compare(
    a: Run | str | Path,
    b: Run | str | Path,
    *,
    margin: float | None = None,
    floor: float | None = None,
    force: bool = False,
) -> list[Compared]:
    """What changed from run A to run B, one `Compared` a case and metric.

    Args:
        a: a run, or how one is named on the command line: a file, an id, ``latest``, ``latest~1``.
        b: likewise.
        margin: the smallest effect that matters, as a share of 1; None for its clock's own.
        floor: what two runs of the same are taken to stay below, as a share of 1, where neither
            repeats nor earlier runs in the results folder tell; None for the clock's own.
        force: compare different environments all the same.

    Raises:
        NotComparableError: the environments differ in something that could explain any effect.
        UsageError: a run cannot be found or read, or the two have no case in common.
    """
    before, after = _run(a), _run(b)
    return compare_runs(
        before, after, margin=margin, force=force, floor=floor, earlier=begun_before(after)
    )


def _run(named: Run | str | Path) -> Run:
    return named if isinstance(named, Run) else run_file.read(find_run(str(named)))


def _values(parameter: Parameter, given: Given) -> tuple[Value, ...]:
    several = [given] if isinstance(given, str | int | float) else list(given)
    if not several:
        raise UsageError(f"{parameter.name}: no value is given", "give one, or leave it out")
    # What a parameter shows it reads back, so that numbers go through the same checks as texts.
    texts = (value if isinstance(value, str) else parameter.show(value) for value in several)
    return tuple(dict.fromkeys(parameter.parse(text) for text in texts))
