"""``cnbench compare --vary``: two variants measured now, so that they can be compared by pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import click

from cnbench.analysis.comparison import Compared, compare_cases
from cnbench.cli.main import complain
from cnbench.cli.measure.measuring import kernels_of, measure_and_record, say_what_is_left_out
from cnbench.core.case import Case, Group
from cnbench.core.errors import CnbenchError, NotComparableError, UsageError
from cnbench.core.experiment import Experiment
from cnbench.core.run import Request, Run
from cnbench.experiments.registry import experiment_called, names
from cnbench.lab.guest.build.kernels import built_kernel
from cnbench.measuring.plan import Plan, parse_given
from cnbench.measuring.planning import plan_for
from cnbench.store.recorder import Recorder, new_run
from cnbench.store.runs import results_folder

# Not a parameter of any experiment, but what a guest is booted with.
KERNEL = "kernel"


def request_for(
    what: Sequence[str],
    vary: str,
    assignments: Sequence[str],
    full: bool,
    budget: float | None,
    seed: int,
    lab: str,
    clock: str,
    kernels: str,
) -> Request:
    """What to measure so that the two variants of ``vary`` can be compared.

    Raises:
        UsageError: not one experiment, or not two variants of something that it has.
    """
    if len(what) != 1 or what[0] not in names():
        raise UsageError(
            f"--vary measures one experiment, not '{' '.join(what)}'",
            f"choose from {', '.join(names())}",
        )
    experiment = experiment_called(what[0])
    name, _, variants = vary.partition("=")
    if name == KERNEL:
        given = parse_given([experiment], assignments)
        two: Sequence[object] = kernels_of(variants)
        kernels, lab = variants, "guest"
    else:
        given = parse_given([experiment], [*assignments, vary])
        two = given[experiment.name][name]
    if len(two) != 2:
        raise UsageError(f"--vary {vary} names {len(two)} variants", "name two of them")
    return Request((experiment.name,), full, given, lab, clock, budget, seed, kernels_of(kernels))


def compare(
    request: Request, vary: str, margin: float | None, force: bool
) -> tuple[list[Compared], list[Run]]:
    """Measure what ``request`` asks, and compare the variants pair by pair.

    Raises:
        NotComparableError: the kernels are of two eras of the experiment, and ``force`` is not
            given.
        UsageError: no point makes sense with both variants.
        CnbenchError: none of the pairs could be measured.
    """
    name = vary.partition("=")[0]
    experiment = experiment_called(request.experiments[0])
    if name == KERNEL and not force:
        _refuse_two_eras(experiment, request.kernels)
    if name != KERNEL:
        experiment = replace(experiment, variant=name, beside=())
    say_what_is_left_out(request, lambda _: experiment)
    plan = plan_for(request, experiments=lambda _: experiment)
    plan, pairs = _pairs(plan, name)
    if not pairs:
        raise UsageError(f"no point of {experiment.name} makes sense with both of {vary}")
    run = new_run(request, [experiment])
    measure_and_record(plan, Recorder(run, results_folder() / f"{run.id}.json"))
    compared: list[Compared] = []
    if not all(pair.paired for pair in pairs):
        click.echo(
            "Each is measured on a machine of its own: they are compared unpaired.", err=True
        )
    for pair in pairs:
        try:
            compared += compare_cases(run, pair.a, pair.b, paired=pair.paired, margin=margin)
        except UsageError as error:
            complain(error)
    if not compared:
        raise CnbenchError("neither variant could be compared", "see the reasons above")
    return compared, [run]


def _refuse_two_eras(experiment: Experiment, kernels: Sequence[str]) -> None:
    """Before anything is measured; of a kernel that is not built, measuring says what to do."""
    built = [kernel for name in kernels if (kernel := built_kernel(name))]
    eras = {experiment.era(kernel.release): kernel.release for kernel in built}
    if len(eras) > 1:
        told = "; ".join(f"{release}: {era}" for era, release in eras.items())
        raise NotComparableError(
            f"to {experiment.name} these kernels are two different things: {told}",
            "if that is what you want to compare, add --force",
        )


@dataclass(frozen=True)
class Pair:
    """Two cases that differ in the variant alone; ``paired`` if they share their blocks."""

    a: Case
    b: Case
    paired: bool


def _pairs(plan: Plan, name: str) -> tuple[Plan, list[Pair]]:
    """The cases to compare, and the plan without the groups that have none.

    What needs two machines (kernels, versions of cgroup) is in two groups.
    """
    alike: dict[tuple[object, ...], list[tuple[Group, Case]]] = {}
    for group in plan.groups:
        for case in group.cases:
            kernel = "" if name == KERNEL else case.kernel
            rest = tuple((n, value) for n, value in case.params.items() if n != name)
            alike.setdefault((case.lab, case.clock, kernel, rest), []).append((group, case))
    twos = [two for two in alike.values() if len(two) == 2]
    needed = {group.number for two in twos for group, _ in two}
    groups = tuple(group for group in plan.groups if group.number in needed)
    pairs = [Pair(a, b, one.number == other.number) for (one, a), (other, b) in twos]
    return replace(plan, groups=groups), pairs
