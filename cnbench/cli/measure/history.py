"""``cnbench history``: the same experiments on one kernel after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from cnbench.asv.hearing import FEWEST_SAMPLES
from cnbench.cli import completion
from cnbench.cli.measure.asked import kernels_of
from cnbench.cli.measure.measuring import measure_and_record, say_what_is_left_out
from cnbench.cli.measure.resuming import saying_how_to_go_on
from cnbench.cli.options import guest_options, point_options
from cnbench.cli.results.history_table import print_history
from cnbench.core.errors import CnbenchError, UnsupportedError, UsageError
from cnbench.core.kernels.release import KernelRelease, read_release
from cnbench.core.run import Request, Run
from cnbench.experiments.registry import experiment_called
from cnbench.lab.guest.build.images import built_userland
from cnbench.lab.guest.build.kernels import built_kernel, built_kernels, ensure_kernel
from cnbench.lab.guest.build.sources import SUITES
from cnbench.measuring.plan import parse_given
from cnbench.measuring.planning import plan_for
from cnbench.store import run_file
from cnbench.store.recorder import Recorder, new_run
from cnbench.store.runs import find_run, place_of

_PAGES = Path("reports/asv-kernels")


@click.command("history")
@click.argument(
    "experiments", nargs=-1, metavar="EXPERIMENT...", shell_complete=completion.experiments
)
@click.option(
    "--kernels",
    default=",".join(SUITES),
    show_default=True,
    metavar="NAME,...",
    help="Debian suites, or paths of vmlinuz files.",
)
@click.option("--build", is_flag=True, help="Build the guests of kernels that are not built yet.")
@click.option("--run", "run_name", metavar="RUN", help="Draw a run that is there; measure nothing.")
@point_options
@guest_options
def command(
    experiments: tuple[str, ...],
    kernels: str,
    build: bool,
    run_name: str | None,
    quick: bool,
    assignments: tuple[str, ...],
    seed: int,
    jobs: int | None,
    anew: bool,
) -> None:
    """Count what EXPERIMENTs cost in instructions, kernel by kernel, and have asv draw it.

    Each kernel is booted in a guest with the same userland. A group of cases takes a guest a few
    minutes on each kernel, and as many run at once as there are processors: name few values by -p.
    asv gets one commit a kernel, dated with the day the kernel says it was built, so that its pages
    draw cost against release and list the steps. A history replaces the earlier one of the same
    experiment.

    \b
    Examples:
      cnbench history --kernels bookworm,trixie service-routing -p services=1000
      cnbench history --build pod-network -p traffic=tcp-rr -p hops=0
      cnbench history --run latest
    """
    if run_name is not None:
        if experiments or assignments or build:
            raise UsageError(
                "--run draws what was measured before", "leave out the experiments, -p and --build"
            )
        path = find_run(run_name)
        run = run_file.read(path)
    else:
        request = _request(experiments, kernels, assignments, not quick, seed)
        _need(request.kernels, build)
        run, path = _measure(request, jobs, anew)
    _draw(run, path)


def _request(
    names: Sequence[str],
    kernels: str,
    assignments: Sequence[str],
    full: bool,
    seed: int,
) -> Request:
    names = tuple(dict.fromkeys(names))
    if not names:
        raise UsageError(
            "which experiment's history?", "cnbench history service-routing; see `cnbench list`"
        )
    asked = kernels_of(kernels)
    if len(asked) < 2:
        raise UsageError("a history needs two kernels", "--kernels bookworm,trixie")
    given = parse_given([experiment_called(name) for name in names], assignments)
    return Request(names, full, given, "guest", "instructions", None, seed, asked)


def _need(kernels: Sequence[str], build: bool) -> None:
    missing = [name for name in kernels if built_kernel(name) is None or built_userland() is None]
    if missing and not build:
        options = " ".join(f"--kernel {name}" for name in missing)
        raise UnsupportedError(
            f"no guest is built yet for {', '.join(missing)}",
            f"add --build, or: cnbench guest build {options}",
        )
    for name in missing:
        ensure_kernel(name, lambda what: click.echo(f"{what} ...", err=True))


def _measure(request: Request, jobs: int | None, anew: bool) -> tuple[Run, Path]:
    run = new_run(request, map(experiment_called, request.experiments))
    path = place_of(run)
    then = f", then draw it: cnbench history --run {run.id}"
    with saying_how_to_go_on("cnbench run", path, then):
        say_what_is_left_out(request)
        plan = replace(plan_for(request), fewest_blocks=FEWEST_SAMPLES)
        measure_and_record([plan], Recorder(run, path), jobs=jobs, anew=anew)
    return run, path


def _draw(run: Run, path: Path) -> None:
    # Imported here: asv takes longer to import than a mistaken name to be found.
    from cnbench.asv import history_folder

    history_folder.check(run)
    folder = history_folder.histories_folder()
    known = history_folder.known_releases(folder)
    releases = {
        name: release for name, release in _releases(run, known).items() if name not in known
    }
    print_history(run)
    history_folder.add(run, releases, folder, _PAGES)
    click.echo(
        f"\nasv has drawn {_PAGES}; look at it: asv preview --config {folder}/asv.conf.json"
        f"\nthe same in one file that needs no network: cnbench report {path}"
    )


def _releases(run: Run, known: dict[str, KernelRelease]) -> dict[str, KernelRelease]:
    """The kernels of a run, each out of the very file that was booted."""
    built = {kernel.digest[:12]: kernel for kernel in built_kernels()}
    found = {}
    for environment in run.fingerprints.values():
        # The image's name has the digests of all that a guest is made of.
        kernel = next((built[part] for part in environment.image.split("-") if part in built), None)
        if kernel is not None:
            found[environment.kernel] = read_release(kernel.vmlinux)
        elif environment.lab == "guest" and environment.kernel not in known:
            raise CnbenchError(
                f"the kernel {environment.kernel} that this run measured is not in the cache any "
                "more, so the day it was built is not known",
                "measure the history anew",
            )
    return found
