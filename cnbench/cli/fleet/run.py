"""``cnbench fleet run``: one plan on many machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnbench.cli import completion
from cnbench.cli.fleet.files import file_names
from cnbench.cli.fleet.options import credentials_of, require_dask, tls_options
from cnbench.cli.measure.asked import Asked, asking
from cnbench.cli.measure.measuring import say_what_is_left_out
from cnbench.cli.measure.own_services import own_services_options, with_own_services
from cnbench.cli.measure.presets import CommandWithPresets, experiments_argument
from cnbench.cli.measure.resuming import end_by, resumed, saying_how_to_go_on
from cnbench.cli.measure.run import request_of
from cnbench.cli.options import json_option
from cnbench.core.errors import UsageError
from cnbench.core.run import Request, Run
from cnbench.experiments.registry import experiment_called
from cnbench.measuring.guests.jobs import number_of_jobs
from cnbench.store import run_file
from cnbench.store.output import check
from cnbench.store.recorder import Recorder, new_run
from cnbench.store.runs import SUFFIX, place_of, results_folder

if TYPE_CHECKING:
    from distributed import Client

    from cnbench.fleet.connecting import Credentials


@click.command("run", cls=CommandWithPresets)
@experiments_argument
@asking
@own_services_options
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Dask's scheduler, tcp://HOST:PORT; by default one in this process, for this machine.",
)
@tls_options
@click.option(
    "--every-node",
    is_flag=True,
    help="All of it on each node, in a run file a node. Without, each group is measured once, by"
    " whoever can, into one run file.",
)
@click.option(
    "--resume",
    metavar="RUN",
    shell_complete=completion.runs,
    help="Go on with a run that was stopped.",
)
@click.option(
    "--repeat",
    "repeats",
    type=click.IntRange(min=1),
    metavar="N",
    help="Carry the whole plan out N times: what runs differ by is then known.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The run file to write; with --every-node, the folder.",
)
@click.option("--force", is_flag=True, help="Replace what is there, even if it is no run file.")
@json_option
def command(
    experiments: tuple[str, ...],
    asked: Asked,
    jobs: int | None,
    anew: bool,
    scheduler: str | None,
    tls_ca_file: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    every_node: bool,
    resume: str | None,
    repeats: int | None,
    output: Path | None,
    force: bool,
    as_json: bool,
    **own: Any,
) -> None:
    """Measure one plan on many machines.

    On each of them runs `cnbench fleet worker`. What is counted fills their processors; what is
    timed has a machine to itself, and is shared only among machines of one environment. Results
    are stored as they come, and what a worker that dies was measuring is measured by another.

    \b
    Examples:
      cnbench fleet run service-routing --clock instructions \\
        --scheduler tcp://10.0.0.1:8786
      cnbench fleet run cpu-quota --every-node -o gathered/ \\
        --scheduler tcp://10.0.0.1:8786
      cnbench fleet run @nightly --scheduler tcp://10.0.0.1:8786
      cnbench fleet run --scheduler tcp://10.0.0.1:8786 --resume latest
      cnbench fleet run copy-up --jobs 2
    """
    require_dask()
    if scheduler and jobs:
        raise UsageError("--jobs is of this machine", "each worker has its own")
    new = (experiments, asked.assignments, output, every_node, own["services_from"])
    if resume and any(new):
        raise UsageError(
            "--resume goes on with what its run was asked for, in that run's file",
            "leave out the experiments, -p, -o, --every-node and --services-from, or start a new"
            " run",
        )
    credentials = credentials_of(tls_ca_file, tls_cert, tls_key)
    if resume:
        run, path = resumed(resume, repeats, asked.budget)
    else:
        request = with_own_services(request_of(experiments, asked), **own)
        run = _new(replace(request, repeats=repeats or 1))
        path = output or (results_folder() / run.id if every_node else place_of(run))
    say_what_is_left_out(run.request)
    with _fleet(scheduler, credentials, jobs) as client:
        if every_node:
            measured = _on_every_node(client, run, path, force=force, anew=anew)
        else:
            if not resume:
                check(path, "run file", run_file.begins_one, force=force)
            measured = [_once(client, run, path, anew=anew)]
    _show(measured, path, every_node=every_node, as_json=as_json)


Measured = tuple[Run, Path]


def _new(request: Request, node: str = "") -> Run:
    """A run of ``node``; of no single one, where it is shared among them."""
    run = new_run(request, map(experiment_called, request.experiments))
    run.node = node
    return run


def _fleet(
    scheduler: str | None, credentials: Credentials | None, jobs: int | None
) -> AbstractContextManager[Client]:
    from cnbench.fleet import connecting

    if scheduler:
        return connecting.connected(scheduler, credentials)
    return connecting.local(number_of_jobs(jobs))


def _once(client: Client, run: Run, path: Path, *, anew: bool) -> Measured:
    """Each group on one node, into one run file."""
    from cnbench.cli.fleet.measuring import measure, part_for_all
    from cnbench.fleet.connecting import Roll

    roll = Roll(client)
    part = part_for_all(roll, Recorder(run, path))
    with saying_how_to_go_on("cnbench fleet run", path):
        if not measure(client, roll, [part], anew=anew):
            click.echo("Every case of this run has been measured.", err=True)
    return run, path


def _on_every_node(
    client: Client, run: Run, folder: Path, *, force: bool, anew: bool
) -> list[Measured]:
    """All of it on each node, into a run file each in ``folder``."""
    from cnbench.cli.fleet.measuring import measure, part_of_node
    from cnbench.fleet.connecting import Roll
    from cnbench.fleet.members import nodes

    roll = Roll(client)
    names = file_names(nodes(roll.require()))
    parts = []
    for node, name in names.items():
        path = folder / f"{name}{SUFFIX}"
        check(path, "run file", run_file.begins_one, force=force)
        parts.append(part_of_node(node, Recorder(_new(run.request, node), path)))
    measure(client, roll, parts, anew=anew)
    return [(part.recorder.run, part.recorder.path) for part in parts]


def _show(measured: Sequence[Measured], path: Path, *, every_node: bool, as_json: bool) -> None:
    if every_node:
        _show_files(measured, path, as_json=as_json)
    else:
        # Statistics take half a second to import.
        from cnbench.cli.results.show import show_run

        show_run(*measured[0], as_json=as_json)
    results = [result for run, _ in measured for result in run.cases]
    end_by(results, "on a node, `cnbench doctor` says what is missing")


def _show_files(measured: Sequence[Measured], folder: Path, *, as_json: bool) -> None:
    if as_json:
        runs = [{"run": run.id, "node": run.node, "file": str(path)} for run, path in measured]
        click.echo(json.dumps({"folder": str(folder), "runs": runs}, indent=1))
        return
    for run, path in measured:
        fine = sum(result.status == "ok" for result in run.cases)
        click.echo(f"{run.node}: {fine} of {len(run.cases)} cases measured, in {path}")
    click.echo(f"who is odd:  cnbench fleet report {folder}")
