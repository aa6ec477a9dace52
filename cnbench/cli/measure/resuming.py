"""Going on with a run, and how a run that ends says what came of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import click

from cnbench.core.errors import CnbenchError, ExitCode, UsageError
from cnbench.core.run import CaseResult, Run
from cnbench.fleet.node_network import NAME as NODE_NETWORK
from cnbench.store import run_file
from cnbench.store.repeats import with_repeats
from cnbench.store.runs import find_run, results_folder


def resumed(named: str, repeats: int | None, budget: float | None) -> tuple[Run, Path]:
    """The run called ``named``, and where it is; with other ``repeats`` or ``budget`` if given.

    Raises:
        CnbenchError: there is none, it cannot be read, or there is no going on with it.
    """
    path = find_run(named)
    run = run_file.read(path)
    if NODE_NETWORK in run.request.experiments:
        raise UsageError(
            f"{path} is of {NODE_NETWORK}, whose one case is measured as a whole or not at all",
            f"measure it again: cnbench fleet {NODE_NETWORK}",
        )
    run.request = with_repeats(run.request, repeats)
    if budget is not None:
        run.request = replace(run.request, budget=budget)
    return run, path


@contextlib.contextmanager
def saying_how_to_go_on(command: str, path: Path, then: str = "") -> Iterator[None]:
    """Whoever is stopped inside says by which ``command`` the run at ``path`` is gone on with."""
    try:
        yield
    except KeyboardInterrupt:
        name = path.stem if path.parent == results_folder() else path
        click.echo(
            f"What was measured is in {path}; go on with: {command} --resume {name}{then}", err=True
        )
        raise


def end_by(results: Iterable[CaseResult], remedy: str) -> None:
    """End the command as the cases did.

    Raises:
        CnbenchError: none could be measured; ``remedy`` says what to do.
        click.exceptions.Exit: one has failed.
    """
    found = {result.status for result in results}
    if "ok" not in found:
        raise CnbenchError("nothing could be measured", remedy)
    if "failed" in found:
        raise click.exceptions.Exit(ExitCode.FAILED)
