"""``cnbench compare``: two runs, or two variants live."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from cnbench.analysis.compared import Compared, overall, questions
from cnbench.analysis.comparison import compare_runs
from cnbench.analysis.matching import environment_differences
from cnbench.cli.measure import live
from cnbench.cli.measure.own_services import own_services_options, with_own_services
from cnbench.cli.options import Quantity, json_option, lab_options, sampling_options
from cnbench.cli.results.comparison_table import print_comparison
from cnbench.core.errors import ExitCode, UsageError
from cnbench.core.run import Run
from cnbench.core.units import FRACTION
from cnbench.stats.verdict import Verdict
from cnbench.store import run_file
from cnbench.store.runs import begun_before, find_run

_EXIT_CODES = {
    Verdict.BETTER: ExitCode.FINE,
    Verdict.EQUIVALENT: ExitCode.FINE,
    Verdict.WORSE: ExitCode.WORSE,
    Verdict.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
}


@click.command("compare")
@click.argument("what", nargs=-1, required=True, metavar="A B | EXPERIMENT")
@click.option(
    "--vary",
    metavar="NAME=A,B[,...]",
    help="The variants to measure in the same blocks; each is compared with the first.",
)
@click.option(
    "--fail-on",
    "margin",
    type=Quantity(FRACTION, "a margin"),
    metavar="SHARE",
    help="The smallest effect that matters: 2%.",
)
@click.option(
    "--floor",
    type=Quantity(FRACTION, "a floor"),
    metavar="SHARE",
    help="What two runs of the same are taken to stay below where nothing tells: by default 3% on"
    " the wall clock, 0.2% of instructions.",
)
@click.option(
    "--force", is_flag=True, help="Compare different environments, or kernels of two eras."
)
@sampling_options
@lab_options
@own_services_options
@json_option
def command(
    what: tuple[str, ...],
    vary: str | None,
    margin: float | None,
    floor: float | None,
    force: bool,
    quick: bool,
    assignments: tuple[str, ...],
    budget: float | None,
    seed: int,
    lab: str,
    clock: str,
    kernels: str,
    jobs: int | None,
    anew: bool,
    as_json: bool,
    **own: Any,
) -> None:
    """Compare run B with run A; or, with --vary, measure variants live, block by block.

    The exit code is the verdict: 0 better or equivalent, 1 worse beyond the margin, 3
    inconclusive, 4 the environments are not comparable.

    \b
    Examples:
      cnbench compare latest~1 latest --fail-on 2%
      cnbench compare service-routing -p services=1000 --vary mode=iptables,nftables
      cnbench compare service-routing --vary mode=iptables,nftables,ipvs --services-from mine.yaml
      cnbench compare service-routing --vary kernel=bookworm,trixie --clock instructions
    """
    if vary is None:
        compared, runs = _two_runs(what, margin, floor, force)
    else:
        request = live.request_for(
            what, vary, assignments, not quick, budget, seed, lab, clock, kernels
        )
        request = with_own_services(request, **own)
        compared, runs = live.compare(request, vary, margin, floor, force, jobs, anew)
    verdict = overall(compared)
    if as_json:
        rows = [comparison.as_json() for comparison in compared]
        ids = [run.id for run in runs]
        found = {
            "runs": ids,
            "verdict": verdict.value,
            "questions": questions(compared),
            "rows": rows,
        }
        click.echo(json.dumps(found, indent=1))
    else:
        units = {name: dict(e.parameters) for run in runs for name, e in run.experiments.items()}
        print_comparison(compared, units)
        click.echo(f"\n{verdict.value}")
    raise click.exceptions.Exit(_EXIT_CODES[verdict])


def _two_runs(
    what: Sequence[str], margin: float | None, floor: float | None, force: bool
) -> tuple[list[Compared], list[Run]]:
    if len(what) != 2:
        raise UsageError(
            f"compare takes two runs, not {len(what)}",
            "or one experiment with --vary NAME=A,B; see `cnbench compare --help`",
        )
    a, b = (run_file.read(find_run(name)) for name in what)
    earlier = begun_before(b)
    compared = compare_runs(a, b, margin=margin, force=force, floor=floor, earlier=earlier)
    noted = [d for d in environment_differences(a, b) if force or not d.essential]
    for difference in noted:
        click.echo(f"{difference.what}: {difference.one} → {difference.other}", err=True)
    return compared, [a, b]
