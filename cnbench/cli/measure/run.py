"""``cnbench run``: measure experiments, and keep the result as a run file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from cnbench.cli import completion
from cnbench.cli.measure.asked import Asked, asking
from cnbench.cli.measure.measuring import measure_and_record, say_what_is_left_out
from cnbench.cli.measure.own_services import own_services_options, with_own_services
from cnbench.cli.measure.presets import CommandWithPresets, experiments_argument
from cnbench.cli.measure.resuming import end_by, resumed, saying_how_to_go_on
from cnbench.cli.measure.servers import cluster_options, servers_option
from cnbench.cli.options import json_option
from cnbench.core.errors import UsageError
from cnbench.core.run import Request, Run
from cnbench.experiments.registry import experiment_called, unasked
from cnbench.measuring.plan import left_out
from cnbench.measuring.planning import why_no_guest
from cnbench.store import run_file
from cnbench.store.captures import CaptureFolder
from cnbench.store.output import check, is_written_once
from cnbench.store.recorder import Recorder, new_run
from cnbench.store.repeats import plans_for
from cnbench.store.runs import place_of


@click.command("run", cls=CommandWithPresets)
@experiments_argument
@asking
@own_services_options
@servers_option
@cluster_options
@click.option(
    "--resume",
    metavar="RUN",
    shell_complete=completion.runs,
    help="Go on with a run that was stopped.",
)
@click.option(
    "--keep-capture",
    is_flag=True,
    help="Keep the first ten packets of each network case beside the run file, as .pcap.",
)
@click.option(
    "--repeat",
    "repeats",
    type=click.IntRange(min=1),
    metavar="N",
    help="Carry the whole plan out N times: what runs differ by is then known. Three do. With"
    " --resume, up to N times: two runs may so be measured in turns.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The run file to write.")
@click.option("--force", is_flag=True, help="Replace what is there, even if it is no run file.")
@json_option
def command(
    experiments: tuple[str, ...],
    asked: Asked,
    jobs: int | None,
    anew: bool,
    resume: str | None,
    keep_capture: bool,
    repeats: int | None,
    output: Path | None,
    force: bool,
    as_json: bool,
    **own: Any,
) -> None:
    """Measure experiments (by default all of them), and keep the result as a run file.

    A preset is a table of cnbench.toml, [presets.nightly]: `experiments`, their `parameters`, and
    these options by their long names. What is typed beside it overrides it.

    \b
    Examples:
      cnbench run --quick
      cnbench run cpu-quota -p quota=20% -p period=10ms,100ms --budget 1m
      cnbench run service-routing --services-from mine.yaml --service shop/web
      cnbench run @nightly --budget 10m
      cnbench run --resume latest
      cnbench run --resume before.json --repeat 2
    """
    if resume:
        if experiments or asked.assignments or output or own["services_from"]:
            raise UsageError(
                "--resume goes on with what its run was asked for, in that run's file",
                "leave out the experiments, -p, -o and --services-from, or start a new run",
            )
        run, path = resumed(resume, repeats, asked.budget)
    else:
        request = request_of(experiments, asked)
        request = with_own_services(request, **own)
        request = replace(request, repeats=repeats or 1)
        run = new_run(request, map(experiment_called, request.experiments))
        path = output or place_of(run)
        check(path, "run file", run_file.begins_one, force=force)
    if keep_capture and is_written_once(path):
        raise UsageError(f"{path} has no place for captures", "write to a file: -o FILE")
    captures = CaptureFolder(path.with_suffix(".captures")) if keep_capture else None
    _measure(run, path, captures, jobs, anew)
    # Statistics take half a second to import: not before the first sample.
    from cnbench.cli.results.show import show_run

    senseless = [asdict(case) for case in left_out(run.request, experiment_called)]
    show_run(run, path, as_json=as_json, left_out=senseless)
    _say_why_no_guest(run)
    end_by(run.cases, "`cnbench doctor` says what is missing")


def request_of(names: Sequence[str], asked: Asked) -> Request:
    """What is asked for by arguments and options; of all experiments, if none is named.

    Raises:
        UsageError: it makes no sense.
    """
    return asked.request(tuple(dict.fromkeys(names)) or unasked())


def _measure(
    run: Run, path: Path, captures: CaptureFolder | None, jobs: int | None, anew: bool
) -> None:
    recorder = Recorder(run, path)
    say_what_is_left_out(run.request)
    plans = plans_for(run)
    if not any(plan.groups for plan in plans):
        click.echo("Every case of this run has been measured.", err=True)
        return
    try:
        with saying_how_to_go_on("cnbench run", path):
            measure_and_record(plans, recorder, captures, jobs, anew)
    finally:
        if captures:
            click.echo(_kept(captures), err=True)


def _say_why_no_guest(run: Run) -> None:
    """One line where guests would have measured what the host lacks, and there are none."""
    lacking = any(result.status == "unsupported" for result in run.cases)
    if run.request.lab == "auto" and lacking and (error := why_no_guest(run.request)):
        click.echo(f"What this kernel lacks is left out, since {error}: {error.remedy}", err=True)


def _kept(captures: CaptureFolder) -> str:
    if not captures.kept:
        return "No capture was kept: none of these cases looks at packets (pod-network's do)."
    return f"Captures of {captures.kept} case(s) are in {captures.folder}"
