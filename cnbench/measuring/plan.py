"""A plan: which cases are measured, in which groups, and for how long."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cnbench.core.case import Case, Group
from cnbench.core.errors import UsageError
from cnbench.core.experiment import Experiment
from cnbench.core.nearest import choose_from
from cnbench.core.parameter import Params, Point, Value
from cnbench.core.run import CaseResult, Request
from cnbench.core.venue import Venue
from cnbench.measuring.policy import Policy
from cnbench.measuring.stop_rule import FEWEST_FOR_95_PERCENT
from cnbench.measuring.venues import Divide

# Seconds that each group is sampled for unless its target is reached before or a budget is given.
QUICK_SECONDS = 5.0
FULL_SECONDS = 60.0
# On the instruction clock: about what repeats from guest to guest; see cnbench/lab/guest.
COUNTED_TARGET = 1e-4
# The fewest that bound a median: the ends of a seventh's interval would be the same extremes.
COUNTED_BLOCKS = FEWEST_FOR_95_PERCENT
FULL_COUNTED_BLOCKS = 30


@dataclass(frozen=True)
class Plan:
    """Groups in the order they are measured.

    Attributes:
        groups: what is measured; a group's cases are of one experiment, lab and clock.
        seconds: wanted sampling time of each group.
        budget: time for all groups together, set-ups included, or None: then each group is sampled
            for ``seconds``, and for at least the blocks that an interval needs. A group takes at
            least one set-up a case and two blocks, even of a budget that is spent.
        seed: of the block order.
        fewest_blocks: that each group takes, unless a budget ends it before.
        inputs: what cases need beside their parameters: the contents of files, by name.
        fewest_setups: how many set-ups a case has at least, where they fit in the time: a
            comparison in shared blocks asks for as many as bound what set-ups differ by.
        anew: whether everything is set up now, though a guest was saved that has it set up.
    """

    groups: tuple[Group, ...]
    seconds: float
    budget: float | None
    seed: int
    fewest_blocks: int = FEWEST_FOR_95_PERCENT
    inputs: Mapping[str, str] = field(default_factory=dict)
    fewest_setups: int = 1
    anew: bool = False

    def telling(self, group: Group) -> dict[str, Value]:
        """What tells ``group`` from the others of its experiment."""
        others = [other.shared for other in self.groups if other.experiment == group.experiment]
        return {
            name: value
            for name, value in group.shared.items()
            if any(other.get(name) != value for other in others)
        }

    def policy(self, position: int, spent: float, share: float = 1.0) -> Policy:
        """How long the group at ``position`` is sampled, ``spent`` seconds after the first began.

        Without a budget that is ``share`` of the sampling time, or blocks, of a group. What earlier
        groups did not use of a budget is shared among the later ones.
        """
        if self.groups[position].cases[0].clock == "instructions":
            # Counts do not scatter as times do, and a guest's clock knows nothing of our seconds.
            blocks = FULL_COUNTED_BLOCKS if self.seconds > QUICK_SECONDS else COUNTED_BLOCKS
            blocks = max(FEWEST_FOR_95_PERCENT, round(blocks * share))
            policy = Policy(COUNTED_TARGET, math.inf, most_blocks=max(blocks, self.fewest_blocks))
        elif self.budget is None:
            policy = Policy(budget=self.seconds * share)
        else:
            left = max(0.0, self.budget - spent) / (len(self.groups) - position)
            return Policy(budget=left, hard=True, seed=self.seed, fewest_setups=self.fewest_setups)
        return replace(
            policy,
            seed=self.seed,
            fewest_blocks=self.fewest_blocks,
            fewest_setups=self.fewest_setups,
        )


def make_plan(
    request: Request,
    experiment_called: Callable[[str], Experiment],
    divide: Divide,
    done: Iterable[CaseResult] = (),
) -> Plan:
    """The plan for what ``request`` asks, less the groups that ``done`` has all cases of.

    First come the points; then which of them each venue measures; then their groups.

    Raises:
        UsageError: the grid that was asked for makes no sense.
    """
    wanted = list(_wanted(request, experiment_called))
    parts = [(of, *part) for of, points in wanted for part in divide(of, points)]
    plan = Plan(
        tuple(group for part in parts for group in make_groups(*part)),
        seconds=FULL_SECONDS if request.full else QUICK_SECONDS,
        budget=request.budget,
        seed=request.seed,
        inputs=request.inputs,
    )
    return left_of(plan, done)


def left_of(plan: Plan, done: Iterable[CaseResult]) -> Plan:
    """``plan`` less the groups that ``done`` has all cases of; the others' numbers go on there."""
    done = list(done)
    left = without(plan.groups, {result.case.key for result in done})
    first_number = 1 + max((result.group for result in done), default=-1)
    numbered = (replace(group, number=number) for number, group in enumerate(left, first_number))
    return replace(plan, groups=tuple(numbered))


def _wanted(
    request: Request, experiment_called: Callable[[str], Experiment]
) -> Iterator[tuple[Experiment, Sequence[Point]]]:
    """The points of each experiment's grid."""
    for name in request.experiments:
        experiment = experiment_called(name)
        yield experiment, experiment.grid(request.full, request.given.get(name, {}))


@dataclass(frozen=True)
class LeftOut:
    """A combination of values that was asked for, and is not measured since it makes no sense."""

    experiment: str
    params: Params
    reason: str


def left_out(request: Request, experiment_called: Callable[[str], Experiment]) -> list[LeftOut]:
    """What ``request`` names in vain, beside what is measured."""
    return [
        LeftOut(name, params, reason)
        for name in request.experiments
        for params, reason in experiment_called(name).senseless(
            request.full, request.given.get(name, {})
        )
    ]


def make_groups(experiment: Experiment, venue: Venue, points: Sequence[Point]) -> list[Group]:
    """The groups of ``points``, all measured at ``venue``."""
    where = (venue.lab, venue.clock, venue.kernel)
    return [
        Group(
            tuple(Case(experiment.name, dict(point), *where) for point in together),
            cgroup=venue.cgroup,
            userland=venue.userland,
        )
        for together in experiment.groups(points)
    ]


def without(groups: Iterable[Group], done: set[str]) -> list[Group]:
    """``groups`` less those whose every case's key is in ``done``.

    A group is measured whole or not at all: half of one has nothing to be paired with.
    """
    return [group for group in groups if any(case.key not in done for case in group.cases)]


def parse_given(
    experiments: Sequence[Experiment], assignments: Sequence[str]
) -> dict[str, dict[str, tuple[Value, ...]]]:
    """Read ``NAME=V1,V2`` assignments: experiment name to parameter name to values.

    A parameter applies to every experiment that has it.

    Raises:
        UsageError: not of that form, a parameter that no experiment has, or a bad value.
    """
    given: dict[str, dict[str, tuple[Value, ...]]] = {e.name: {} for e in experiments}
    for assignment in assignments:
        name, equals, texts = assignment.partition("=")
        if not equals or not texts:
            raise UsageError(
                f"'{assignment}' does not set a parameter", "write -p NAME=VALUE[,VALUE...]"
            )
        having = [e for e in experiments if any(p.name == name for p in e.parameters)]
        if not having:
            _refuse_unknown(experiments, name)
        for experiment in having:
            parameter = experiment.parameter(name)
            values = tuple(parameter.parse(text.strip()) for text in texts.split(","))
            given[experiment.name][name] = tuple(dict.fromkeys(values))
    return given


def _refuse_unknown(experiments: Sequence[Experiment], name: str) -> None:
    if len(experiments) == 1:
        experiments[0].parameter(name)
    known = sorted({parameter.name for e in experiments for parameter in e.parameters})
    raise UsageError(f"no experiment has a parameter '{name}'", choose_from(name, known))
