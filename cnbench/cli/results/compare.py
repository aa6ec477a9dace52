"""``cnbench compare``: two runs, or two variants live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from click.core import ParameterSource

from cnbench.analysis.choice import Choice
from cnbench.analysis.comparison import compare_runs
from cnbench.analysis.outcome import Outcome, outcome_of_runs
from cnbench.cli import completion
from cnbench.cli.measure import live
from cnbench.cli.measure.asked import Asked, asking
from cnbench.cli.measure.own_services import own_services_options, with_own_services
from cnbench.cli.options import Quantity, json_option
from cnbench.cli.results.comparison_table import print_comparison
from cnbench.core.errors import ExitCode, UsageError
from cnbench.core.units import FRACTION
from cnbench.export.outcomes import FORMATS, format_called
from cnbench.stats.verdict import Verdict
from cnbench.store import run_file
from cnbench.store.runs import begun_before, find_run

_IN_A_TERMINAL = "text"
# What is said of two runs; all the other options say how variants are measured.
_OF_TWO_RUNS = {
    "what", "margin", "floor", "metrics", "pattern", "form", "force", "assignments", "as_json",
}  # fmt: skip

_EXIT_CODES = {
    Verdict.BETTER: ExitCode.FINE,
    Verdict.EQUIVALENT: ExitCode.FINE,
    Verdict.WORSE: ExitCode.WORSE,
    Verdict.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
}


@click.command("compare")
@click.argument(
    "what",
    nargs=-1,
    required=True,
    metavar="A B | EXPERIMENT",
    shell_complete=completion.runs_or_experiments,
)
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
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME",
    help="Compare this metric alone, and judge it alone; may be repeated.",
)
@click.option(
    "--match",
    "pattern",
    default="",
    metavar="REGEX",
    help="Compare those cases alone whose line, as `EXPERIMENT NAME=VALUE ...`, has this in it.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice([_IN_A_TERMINAL, *FORMATS]),
    default=_IN_A_TERMINAL,
    show_default=True,
    help="; ".join(f"{name}: {what}" for name, what in FORMATS.items()) + ".",
)
@click.option(
    "--force", is_flag=True, help="Compare different environments, or kernels of two eras."
)
@asking
@own_services_options
@json_option
def command(
    what: tuple[str, ...],
    vary: str | None,
    margin: float | None,
    floor: float | None,
    metrics: tuple[str, ...],
    pattern: str,
    form: str,
    force: bool,
    asked: Asked,
    jobs: int | None,
    anew: bool,
    as_json: bool,
    **own: Any,
) -> None:
    """Compare run B with run A; or, with --vary, measure variants live, block by block.

    A run is a file, a baseline (`cnbench baseline save`), an id, `latest` or `latest~1`. Of two
    runs, -p, --match and --metric choose what is compared; verdicts stand among what is chosen, so
    that the chance of any false alarm is the same for one line as for a hundred.

    The exit code is the verdict: 0 better or equivalent, 1 worse beyond the margin, 3
    inconclusive, 4 the environments are not comparable.

    \b
    Examples:
      cnbench compare latest~1 latest --fail-on 2%
      cnbench compare main latest --metric connect -p mode=iptables \\
        --format markdown
      cnbench compare service-routing -p services=1000 \\
        --vary mode=iptables,nftables
      cnbench compare service-routing --services-from mine.yaml \\
        --vary mode=iptables,nftables,ipvs
      cnbench compare service-routing --clock instructions \\
        --vary kernel=bookworm,trixie
    """
    if vary is None:
        _refuse_what_measures()
        choice = Choice(metrics, _values(asked.assignments), pattern)
        outcome = _two_runs(what, margin, floor, force, choice)
    else:
        choice = Choice(metrics, pattern=pattern)
        request = with_own_services(live.request_for(what, vary, asked), **own)
        outcome = live.compare(request, vary, margin, floor, force, choice, jobs, anew)
    form = "json" if as_json else form
    if form == _IN_A_TERMINAL:
        _print(outcome)
    else:
        click.echo(format_called(form).shown(outcome))
    raise click.exceptions.Exit(_EXIT_CODES[outcome.verdict])


def _refuse_what_measures() -> None:
    """Two runs are measured already; whoever says how to is not answered by a comparison."""
    context = click.get_current_context()
    for option in context.command.params:
        given = context.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
        if given and option.name not in _OF_TWO_RUNS:
            raise UsageError(
                f"{option.opts[0]} says how to measure, and two runs are measured already",
                "leave it out, or measure variants of one experiment with --vary NAME=A,B",
            )


def _values(assignments: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What ``-p NAME=V1,V2`` chooses of two runs, as written."""
    values: dict[str, tuple[str, ...]] = {}
    for assignment in assignments:
        name, equals, texts = assignment.partition("=")
        if not equals or not texts:
            raise UsageError(
                f"'{assignment}' chooses no values of a parameter", "write -p NAME=VALUE[,VALUE...]"
            )
        values[name] = tuple(text.strip() for text in texts.split(","))
    return values


def _two_runs(
    what: Sequence[str], margin: float | None, floor: float | None, force: bool, choice: Choice
) -> Outcome:
    if len(what) != 2:
        raise UsageError(
            f"compare takes two runs, not {len(what)}",
            "or one experiment with --vary NAME=A,B; see `cnbench compare --help`",
        )
    a, b = (run_file.read(find_run(name)) for name in what)
    earlier = begun_before(b)
    compared = compare_runs(
        a, b, margin=margin, force=force, floor=floor, earlier=earlier, choice=choice
    )
    outcome = outcome_of_runs(a, b, compared)
    for difference in outcome.differences:
        if force or not difference.essential:
            click.echo(f"{difference.what}: {difference.one} → {difference.other}", err=True)
    return outcome


def _print(outcome: Outcome) -> None:
    print_comparison(outcome.compared, outcome.units)
    for change in outcome.claims:
        before, after = change.before.verdict.value, change.after.verdict.value
        click.echo(f"  {before} → {after}: {change.statement}")
    click.echo(f"\n{outcome.verdict.value}")
