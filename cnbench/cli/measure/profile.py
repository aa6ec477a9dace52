"""``cnbench profile``: where the instructions of one case go, function by function."""

from __future__ import annotations

import json
from pathlib import Path

import click

from cnbench.cli.options import json_option
from cnbench.core.errors import ExitCode, UsageError
from cnbench.core.experiment import Experiment
from cnbench.core.run import Request
from cnbench.experiments.registry import experiment_called
from cnbench.measuring.plan import Plan, parse_given
from cnbench.measuring.planning import plan_for
from cnbench.store import profiles, whole_file
from cnbench.store.output import check
from cnbench.store.profiles import Profile

_KERNEL = "kernel"
_SEED = 1  # as of `cnbench run`, whose saved set-ups are then this one's as well


@click.command("profile")
@click.argument("experiment")
@click.option(
    "-p",
    "assignments",
    multiple=True,
    metavar="NAME=VALUE",
    help="A value of a parameter, as of `cnbench run`; with the quick ones they leave one case.",
)
@click.option("--kernel", default="trixie", show_default=True, help="The guest's kernel.")
@click.option(
    "--vary",
    metavar="NAME=A,B",
    help="Two cases: a parameter's two values, or two kernels; which functions gained and lost.",
)
@click.option("--metric", help="Whose figure to explain.  [default: the case's first]")
@click.option(
    "--top", type=click.IntRange(min=1), default=15, show_default=True, help="Functions to print."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the flame graph to this file (SVG), too.",
)
@click.option("--force", is_flag=True, help="Replace what is there, even if it is no flame graph.")
@click.option("--folded", is_flag=True, help="Print stacks, one a line, for other tools.")
@json_option
def command(
    experiment: str,
    assignments: tuple[str, ...],
    kernel: str,
    vary: str | None,
    metric: str | None,
    top: int,
    output: Path | None,
    force: bool,
    folded: bool,
    as_json: bool,
) -> int:
    """Say where the instructions of one case of EXPERIMENT go: every function's exact count.

    The case is measured in a guest on the instruction clock, whose processor has each instruction
    counted by a plug-in (it takes a C compiler, once). Profiles are kept, and shown in the report
    beside their case.

    \b
    Examples:
      cnbench profile namespaces -p kind=net -p call=clone3
      cnbench profile service-routing -p mode=iptables -p measure=connect \\
        -p position=last --vary services=1,1000
      cnbench profile copy-up -p filesystem=ext4 --vary kernel=bookworm,trixie
    """
    found = experiment_called(experiment)
    if output is not None:
        check(output, "flame graph", lambda begin: b"<svg" in begin, force=force)
    if metric is not None:
        found.metric(metric)
    kernels, given = _varied(vary, kernel, assignments)
    cases = [_plan(found, name, more) for name in kernels for more in given]
    taken = [_profile(plan, metric) for plan in cases]
    for profile in taken:
        profiles.keep(profile)
    if output is not None:
        _write_graph(taken[-1], output)
    _print(taken, top, folded, as_json)
    return ExitCode.FINE


def _varied(
    vary: str | None, kernel: str, assignments: tuple[str, ...]
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Kernels, and the assignments of each case: two of one of them where something is varied."""
    if vary is None:
        return [kernel], [assignments]
    name, _, texts = vary.partition("=")
    values = [text.strip() for text in texts.split(",") if text.strip()]
    if len(values) != 2:
        raise UsageError(f"'{vary}' does not name two values", "write --vary NAME=A,B")
    if name == _KERNEL:
        return values, [assignments]
    return [kernel], [(*assignments, f"{name}={value}") for value in values]


def _plan(experiment: Experiment, kernel: str, assignments: tuple[str, ...]) -> Plan:
    """The plan of one case.

    Raises:
        UsageError: there are several, or none.
    """
    given = parse_given([experiment], assignments)
    request = Request(
        (experiment.name,), False, given, "guest", "instructions", None, _SEED, (kernel,)
    )
    plan = plan_for(request)
    cases = [case for group in plan.groups for case in group.cases]
    if len(cases) != 1:
        several = [
            parameter.name
            for parameter in experiment.parameters
            if len({case.params[parameter.name] for case in cases}) > 1
        ]
        raise UsageError(
            f"{len(cases)} cases are too many: one is profiled at a time",
            "give one value of " + ", ".join(several),
        )
    return plan


def _profile(plan: Plan, metric: str | None) -> Profile:
    # Statistics take half a second to import: not before what was asked for is known to make sense.
    from cnbench.analysis.profile.counted import profile_counted

    return profile_counted(plan, metric, _say)


def _say(what: str) -> None:
    click.echo(what, err=True)


def _write_graph(profile: Profile, path: Path) -> None:
    from cnbench.analysis.profile.stacks import stacks_in
    from cnbench.report.flames import flame_graph

    graph = flame_graph(stacks_in(profile), f"{profile.case.point} {profile.metric}")
    whole_file.write(path, graph.encode(), "the flame graph")
    click.echo(f"Wrote {path}", err=True)


def _print(taken: list[Profile], top: int, folded: bool, as_json: bool) -> None:
    if as_json:
        found = {"profiles": [profiles.plain(profile) for profile in taken]}
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
    elif folded:
        for stack, count in taken[-1].stacks.items():
            click.echo(f"{stack} {count}")
    else:
        from cnbench.cli.results.profile_table import print_changes, print_profile

        for profile in taken:
            print_profile(profile, top)
            click.echo()
        if len(taken) > 1:
            print_changes(taken[0], taken[1], top)
