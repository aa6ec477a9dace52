"""The sampler: takes a group's cases block by block until they are known well enough."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from cnbench.core import stopping
from cnbench.core.case import Case, Group
from cnbench.core.errors import CnbenchError
from cnbench.core.experiment import Experiment, Subject
from cnbench.core.parameter import Point
from cnbench.core.run import CaseResult, Sample
from cnbench.lab import cpus
from cnbench.lab.host import Lab
from cnbench.measuring import witness
from cnbench.measuring.blocks import balanced_order
from cnbench.measuring.conclusion import INTERRUPTED, conclude
from cnbench.measuring.events import BlockEnded, Captured, GroupReady, Listener, WorkAdvanced
from cnbench.measuring.failures import failure, without_twin
from cnbench.measuring.own_process.process import Apart, OwnProcess, own_process
from cnbench.measuring.policy import Policy
from cnbench.measuring.rotation import InTurn
from cnbench.measuring.setups import MOST_APART, PROCESSES, SetUps
from cnbench.measuring.station import DENIED, Station, captures_of, least_precise

WARM_UP = 1
# How often a disturbed sample is measured again before it is taken as it is, marked.
RETRIES = 2


@dataclass
class Outcome:
    """What came of a group: a result a case, whether the user interrupted it, what to warn of.

    And the packets that proofs have kept.
    """

    results: list[CaseResult]
    interrupted: bool = False
    warnings: list[str] = field(default_factory=list)
    captures: list[Captured] = field(default_factory=list)


class GroupSampler:
    """Samples one group; ``now`` is the wall in seconds, replaced in tests alone."""

    def __init__(
        self,
        experiment: Experiment,
        lab: Lab,
        policy: Policy,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._experiment = experiment
        self._lab = lab
        self._policy = policy
        self._now = now
        self._group = 0
        self._few = True

    def run(self, group: Group, listen: Listener) -> Outcome:
        """Set the group's cases up, sample them, take their proofs, and take them down.

        ``listen`` is told the end of every block.
        """
        outcome: Outcome | None = None
        self._group = group.number
        self._few = len(group.cases) <= MOST_APART
        try:
            with contextlib.ExitStack() as stack:
                outcome = self._measure(stack, group, listen)
        except KeyboardInterrupt:
            if outcome is None:
                raise
            outcome.interrupted = True
        except Exception as error:
            if outcome is None:
                raise
            # What was measured stands; what could not be removed stays in the journal for gc.
            outcome.warnings.append(f"{group.title} could not be taken down: {error}")
        return outcome

    def _measure(self, stack: contextlib.ExitStack, group: Group, listen: Listener) -> Outcome:
        number = group.number
        stations, refused, warnings = self._open_all(stack, group, listen)
        if any(self._is_apart(case) for case in group.cases):
            # Processes that take turns each wake a processor that has slept, and is slow for longer
            # than a sample: noise floors of 2 % became 40. On one they leave none of it asleep.
            stack.enter_context(cpus.on_the_idlest())
        try:
            self._warm_up(stations, listen)
            if stations:
                listen(GroupReady(number, self._is_sound(stations, refused, warnings)))
            with self._lab.clock.undisturbed():
                stopped, interrupted = self._sample(stations, number, listen), False
        except KeyboardInterrupt:
            stopped, interrupted = INTERRUPTED, True
        # What a proof waits for passes at once on the instruction clock where nothing runs beside.
        with self._lab.clock.undisturbed():
            try:
                results = conclude(stations, number, stopped)
            except KeyboardInterrupt:
                # The command line lets a user interrupt once, so this time it comes to an end.
                results, interrupted = conclude(stations, number, stopped), True
        warnings += [without_twin(s.case, s.error) for s in stations if s.twin and s.error]
        in_order = {result.case.key: result for result in [*refused, *results]}
        ordered = [in_order[case.key] for case in group.cases]
        return Outcome(ordered, interrupted, warnings, captures_of(stations))

    def _open_all(
        self, stack: contextlib.ExitStack, group: Group, listen: Listener
    ) -> tuple[list[Station], list[CaseResult], list[str]]:
        """Stations, A′ the last of them; the results of those that cannot be; warnings."""
        stations: list[Station] = []
        refused: list[CaseResult] = []
        warnings: list[str] = []
        stack.enter_context(self._lab.fresh_fixtures())
        apart = self._is_apart(group.cases[0])
        setups = SetUps(
            self._experiment,
            group.cases,
            len(group.cases) + 1,
            self._policy.setup_budget,
            max(self._policy.fewest_setups, PROCESSES if apart else 1),
            self._now,
            len(os.sched_getaffinity(0)) if apart else 1,
        )
        for case in group.cases:
            stopping.check()
            try:
                with self._telling(case, listen):
                    stations.append(self._open(stack, case, setups))
            except Exception as error:  # whatever it is, it is this case's result
                refused.append(failure(case, group.number, error))
        if stations:
            # A′ has a set-up of its own, as each variant has.
            stack.enter_context(self._lab.fresh_fixtures())
            try:
                with self._telling(stations[0].case, listen, twin=True):
                    twin = self._open(stack, stations[0].case, setups)
            except Exception as error:  # the cases can do without it, the noise floor cannot
                warnings.append(without_twin(stations[0].case, error))
            else:
                twin.twin = True
                stations.append(twin)
        return stations, refused, warnings

    def _open(self, stack: contextlib.ExitStack, case: Case, setups: SetUps) -> Station:
        began = self._now()
        point = Point(case.params)
        self._experiment.require(point, self._lab)
        subjects = setups.open(
            lambda number: self._open_one(stack, case, number),
            lambda: self._begin(case),
        )
        for subject in subjects:
            if isinstance(subject, Apart):  # several are set up at once
                subject.opened()
        return Station(case, InTurn(subjects), self._now() - began)

    def _open_one(self, stack: contextlib.ExitStack, case: Case, number: int) -> Subject:
        if self._is_apart(case):
            return self._process(number).open(case)
        return stack.enter_context(self._experiment.subject(Point(case.params), self._lab))

    def _begin(self, case: Case) -> None:
        """Begin the first set-up: what opens a case in a process first imports for all of them."""
        if self._is_apart(case):
            self._process(0).open(case).opened()

    def _is_apart(self, case: Case) -> bool:
        point = Point(case.params)
        return self._few and case.clock == "wall" and self._experiment.apart(point)

    def _process(self, number: int) -> OwnProcess:
        return self._lab.fixture(("set-up", number), lambda: own_process(self._lab))

    def _telling(
        self, case: Case, listen: Listener, twin: bool = False
    ) -> AbstractContextManager[None]:
        """Have long work inside told as this case's."""
        return self._lab.long_work.told_to(
            lambda what: listen(WorkAdvanced(case, twin, what, self._group))
        )

    def _warm_up(self, stations: list[Station], listen: Listener) -> None:
        for station in stations:
            for setup in range(WARM_UP * len(station.subject)):
                stopping.check()
                with station.failing(), self._telling(station.case, listen, station.twin):
                    station.subject.sample(setup % len(station.subject), self._lab.timed)

    @staticmethod
    def _is_sound(stations: list[Station], refused: list[CaseResult], warnings: list[str]) -> bool:
        broken = any(station.error for station in stations)
        return not (broken or warnings or any(result.status == "failed" for result in refused))

    def _sample(self, stations: list[Station], number: int, listen: Listener) -> str:
        began = self._now()
        for block in range(self._policy.most_blocks):
            if all(station.error for station in stations if not station.twin):
                return "no case was left to sample"
            order = balanced_order(len(stations), block, self._policy.seed)
            self._take([stations[index] for index in order], block, began, listen)
            spent = self._now() - began
            reached = least_precise(stations, self._experiment.metrics)
            listen(BlockEnded(number, block, spent, reached))
            stopped = self._reason_to_stop(block + 1, spent, reached)
            if stopped:
                return stopped
        return f"took all of its {self._policy.most_blocks} blocks"

    def _take(self, ordered: list[Station], block: int, began: float, listen: Listener) -> None:
        """Take a block; anew what the kernel's counters deny at its end."""
        wanted = list(enumerate(ordered))
        for attempt in range(RETRIES + 1):
            for turn, station in wanted:
                stopping.check()
                if station.error is None:
                    with station.failing(), self._telling(station.case, listen, station.twin):
                        self._observe(station, block, turn, began)
            wanted = [(turn, station) for turn, station in wanted if station.is_denied(block)]
            for _, station in wanted:
                station.discard(block)
                if attempt == RETRIES:
                    station.error = CnbenchError(f"{DENIED}, {attempt + 1} times over")

    def _observe(self, station: Station, block: int, turn: int, began: float) -> None:
        setup = station.subject.of_block(block)
        for attempt in range(RETRIES + 1):
            started = self._now()
            taken = station.subject.sample(setup, self._lab.timed)
            duration = self._now() - started
            self._check(taken.values, station)
            shares = witness.between(taken.before, taken.after)
            lasted = taken.after.at - taken.before.at
            disturbed = self._disturbances(station.case, shares, lasted)
            again = bool(disturbed) and attempt < RETRIES and started - began < self._policy.budget
            station.samples.append(
                Sample(block, turn, taken.values, started - began, duration,
                       shares, disturbed, again, setup)
            )  # fmt: skip
            if not again:
                return

    @staticmethod
    def _disturbances(case: Case, shares: Mapping[str, float], seconds: float) -> tuple[str, ...]:
        """Why a sample is not to be trusted; never where instructions are counted.

        Nobody else is in that guest: the sampler waits there for the kernel's work of its own
        sample alone, which writes to a loop device are.
        """
        return () if case.clock == "instructions" else witness.disturbances(shares, seconds)

    def _check(self, values: Mapping[str, float], station: Station) -> None:
        known = {metric.name: metric for metric in self._experiment.metrics}
        if not values or not values.keys() <= known.keys():
            raise CnbenchError(
                f"a sample of {self._experiment.name} gave {sorted(values) or 'nothing'}; "
                f"its metrics are {sorted(known)}"
            )
        if station.samples and values.keys() != station.samples[0].values.keys():
            raise CnbenchError(
                f"a sample of {self._experiment.name} gave {sorted(values)}, "
                f"and an earlier one {sorted(station.samples[0].values)}"
            )
        for name, value in values.items():
            known[name].check(value)

    def _reason_to_stop(self, blocks: int, spent: float, reached: float) -> str:
        if blocks < (2 if self._policy.hard else self._policy.fewest_blocks):
            return ""
        if reached <= self._policy.target:
            return f"reached its target of ±{self._policy.target:.3g}"
        return f"spent its {self._policy.budget:.0f} s" if spent >= self._policy.budget else ""
