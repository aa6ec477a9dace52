"""``cnbench compare --vary``: two variants measured now, so that they can be compared by pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cnbench.analysis.compared import Compared
from cnbench.analysis.comparison import compare_cases
from cnbench.cli.main import complain
from cnbench.cli.measure.measuring import kernels_of, measure_and_record
from cnbench.core.case import Case
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
    request: Request, vary: str, margin: float | None, floor: float | None, force: bool
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
    plan = plan_for(request, experiments=lambda _: experiment)
    plan, pairs = _pairs(plan, experiment, name)
    if not pairs:
        raise UsageError(f"no point of {experiment.name} makes sense with both of {vary}")
    run = new_run(request, [experiment])
    measure_and_record([plan], Recorder(run, results_folder() / f"{run.id}.json"))
    measured = _measured_pairs(run, pairs)
    if not measured:
        raise CnbenchError("neither variant could be compared", "see the reasons above")
    compared = compare_cases(run, measured, paired=name != KERNEL, margin=margin, floor=floor)
    return compared, [run]


def _measured_pairs(run: Run, pairs: Sequence[tuple[Case, Case]]) -> list[tuple[Case, Case]]:
    """The pairs that both have values, the others being complained of."""
    results = {result.case.key: result for result in run.cases}
    measured = []
    for pair in pairs:
        missing = [results[case.key] for case in pair if results[case.key].status != "ok"]
        for result in missing[:1]:
            complain(UsageError(f"{result.case.point}: {result.reason}", result.remedy))
        if not missing:
            measured.append(pair)
    return measured


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


def _pairs(plan: Plan, experiment: Experiment, name: str) -> tuple[Plan, list[tuple[Case, Case]]]:
    """The cases to compare, and the plan without the groups that have none."""
    if name != KERNEL:
        groups = tuple(group for group in plan.groups if len(group.cases) == 2)
        return replace(plan, groups=groups), [(g.cases[0], g.cases[1]) for g in groups]
    cases = [case for group in plan.groups for case in group.cases]
    by_point: dict[str, list[Case]] = {}
    for case in cases:
        by_point.setdefault(case.point, []).append(case)
    return plan, [(two[0], two[1]) for two in by_point.values() if len(two) == 2]
