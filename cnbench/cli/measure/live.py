"""``cnbench compare --vary``: variants measured now, each compared with the first by pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import click

from cnbench.analysis.choice import ALL, Choice
from cnbench.analysis.compared import Compared, jointly
from cnbench.analysis.comparison import compare_cases
from cnbench.analysis.outcome import Outcome
from cnbench.cli.complaints import complain
from cnbench.cli.measure.asked import Asked
from cnbench.cli.measure.measuring import measure_and_record, say_what_is_left_out
from cnbench.core.case import Case, Group
from cnbench.core.errors import CnbenchError, NotComparableError, UsageError
from cnbench.core.experiment import Experiment
from cnbench.core.run import Request, Run
from cnbench.experiments.registry import experiment_called, names
from cnbench.lab.guest.build.kernels import built_kernel
from cnbench.measuring.plan import Plan
from cnbench.measuring.planning import plan_for
from cnbench.measuring.stop_rule import FEWEST_FOR_95_PERCENT
from cnbench.store.recorder import Recorder, new_run
from cnbench.store.runs import place_of

# Not a parameter of any experiment, but what a guest is booted with.
KERNEL = "kernel"
_ALL_IN_A_GUEST = "so all are measured in a guest, where they can be compared"


def request_for(what: Sequence[str], vary: str, asked: Asked) -> Request:
    """What to measure so that the variants of ``vary`` can be compared.

    Raises:
        UsageError: not one experiment, or fewer than two variants of something that it has.
    """
    if len(what) != 1 or what[0] not in names():
        raise UsageError(
            f"--vary measures one experiment, not '{' '.join(what)}'",
            f"choose from {', '.join(names())}",
        )
    name, _, variants = vary.partition("=")
    if name == KERNEL:
        request = replace(asked, kernels=variants, lab="guest").request(what)
        named: Sequence[object] = request.kernels
    else:
        request = replace(asked, assignments=(*asked.assignments, vary)).request(what)
        named = request.given[what[0]][name]
    if len(named) < 2:
        raise UsageError(f"--vary {vary} names {len(named)} variant", "name at least two of them")
    return request


def compare(
    request: Request,
    vary: str,
    margin: float | None,
    floor: float | None,
    force: bool,
    choice: Choice = ALL,
    jobs: int | None = None,
    anew: bool = False,
) -> Outcome:
    """Measure what ``request`` asks and ``choice`` leaves, and compare each with the first variant.

    Raises:
        NotComparableError: the kernels are of two eras of the experiment, and ``force`` is not
            given.
        UsageError: no chosen point makes sense with the first variant and another, in one place,
            or a chosen metric is not the experiment's.
        CnbenchError: none of the pairs could be measured.
    """
    name = vary.partition("=")[0]
    experiment = experiment_called(request.experiments[0])
    choice.require_metrics(experiment.metrics)
    if name == KERNEL and not force:
        _refuse_two_eras(experiment, request.kernels)
    if name != KERNEL:
        experiment = replace(experiment, variant=name, beside=())
    say_what_is_left_out(request, lambda _: experiment)
    plan = plan_for(request, experiments=lambda _: experiment)
    if name != KERNEL and len({case.where for group in plan.groups for case in group.cases}) > 1:
        complain(CnbenchError("not all of these can be measured on this host", _ALL_IN_A_GUEST))
        request = replace(request, lab="guest")
        plan = plan_for(request, experiments=lambda _: experiment)
    units = {parameter.name: parameter.unit for parameter in experiment.parameters}
    plan, pairs = _pairs(plan, request, name, lambda case: choice.has(case, units))
    plan = replace(plan, fewest_setups=FEWEST_FOR_95_PERCENT)
    if not pairs:
        raise UsageError(
            f"no point of {experiment.name} can be measured with the first of {vary} and another"
            " in one place",
            "see `cnbench doctor`; a guest may have them all: --lab guest",
        )
    run = new_run(request, [experiment])
    measure_and_record([plan], Recorder(run, place_of(run)), jobs=jobs, anew=anew)
    if not all(pair.paired for pair in pairs):
        click.echo(
            "Each is measured on a machine of its own: they are compared unpaired.", err=True
        )
    measured = _measured_pairs(run, pairs)
    if not measured:
        raise CnbenchError("neither variant could be compared", "see the reasons above")
    compared: list[Compared] = []
    for paired in (True, False):
        if some := [(pair.a, pair.b) for pair in measured if pair.paired == paired]:
            compared += compare_cases(
                run, some, paired=paired, margin=margin, floor=floor, choice=choice
            )
    return Outcome((run,), tuple(jointly(compared)))


def _measured_pairs(run: Run, pairs: Sequence[CasePair]) -> list[CasePair]:
    """The pairs that both have values, the others being complained of."""
    results = {result.case.key: result for result in run.cases}
    measured = []
    for pair in pairs:
        both = (results[case.key] for case in (pair.a, pair.b))
        missing = [result for result in both if result.status != "ok"]
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


@dataclass(frozen=True)
class CasePair:
    """Two cases that differ in the variant alone; ``paired`` if they share their blocks."""

    a: Case
    b: Case
    paired: bool


def _pairs(
    plan: Plan, request: Request, name: str, chosen: Callable[[Case], bool]
) -> tuple[Plan, list[CasePair]]:
    """The ``chosen`` cases, each with the first variant's, and the plan without the others.

    What needs two machines (kernels, versions of cgroup) is in two groups.
    """
    alike: dict[tuple[object, ...], list[tuple[Group, Case]]] = {}
    for group in plan.groups:
        for case in group.cases:
            kernel = "" if name == KERNEL else case.kernel
            rest = tuple((n, value) for n, value in case.params.items() if n != name)
            alike.setdefault((case.lab, case.clock, kernel, rest), []).append((group, case))
    pairs = [
        pair
        for cases in alike.values()
        for pair in _with_first(cases, request, name)
        if chosen(pair.b)
    ]
    needed = {case.key for pair in pairs for case in (pair.a, pair.b)}
    groups = tuple(g for g in plan.groups if any(case.key in needed for case in g.cases))
    return replace(plan, groups=groups), pairs


def _with_first(
    alike: Sequence[tuple[Group, Case]], request: Request, name: str
) -> Iterator[CasePair]:
    """Of cases that differ in the variant alone: the first variant's, and each other one."""
    if name == KERNEL:
        first: object = request.kernels[0]
        of_first = [(group, case) for group, case in alike if case.kernel == first]
    else:
        (given,) = request.given.values()
        of_first = [(group, case) for group, case in alike if case.params[name] == given[name][0]]
    for group, case in of_first:
        for other_group, other in alike:
            if other is not case:
                yield CasePair(case, other, group.number == other_group.number)
