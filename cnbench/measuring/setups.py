"""How many set-ups the cases of a group have, and what a budget leaves of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from cnbench.core.case import Case
from cnbench.core.experiment import Experiment, Subject
from cnbench.core.parameter import Point

# In a guest on that clock a set-up takes ten times as long, and what tells set-ups apart is their
# hash tables alone, no caches.
MOST_COUNTED = 3
# Where each set-up has a process of its own: with three repeats a side of six each, one of forty
# pairs in which one side was 5 % dearer was not told to be so beyond 2 %.
PROCESSES = 10
# A block of more cases takes so long that each process would be sampled once or twice, and cold: of
# 57 cases noise floors were 40 % and more, and are 2 % where their set-ups share one process.
MOST_APART = 16
# Of a budget, for making set-ups and their first samples; the rest is for sampling.
_SHARE = 0.5
# The cases share what a set-up begins with, and A' has its own.
_SHARERS = 2


def _nothing() -> None:
    """For set-ups that share nothing but fixtures."""


class SetUps:
    """The number of set-ups, alike for all ``cases`` of a group, so that they can be compared.

    Eight set-ups of five stations, each sampled once to warm it up, took 80 s of a budget of 8 s.
    What the first of them takes, warm-up included, tells how many a budget holds. ``fewest`` are
    made, if it does, of an experiment that has not shown that one stands for all. So many as
    ``at_once`` are made at once.
    """

    def __init__(
        self,
        experiment: Experiment,
        cases: Sequence[Case],
        stations: int,
        budget: float | None,
        fewest: int = 1,
        now: Callable[[], float] = time.monotonic,
        at_once: int = 1,
    ) -> None:
        counted = cases[0].clock == "instructions"
        wanted = max(experiment.setups(Point(case.params)) for case in cases)
        if not experiment.alike:
            wanted = max(wanted, fewest)
        self.number = min(wanted, MOST_COUNTED) if counted else wanted
        self._stations = stations
        self._budget = budget
        self._now = now
        self._at_once = at_once

    def open(
        self, open_one: Callable[[int], Subject], begin: Callable[[], None] = _nothing
    ) -> list[Subject]:
        """As many as there are to be, opened by ``open_one`` from their numbers.

        ``begin`` does what the first set-up of the first case would do for all of its cases.
        """
        if self._budget is None or self.number == 1:
            return [open_one(number) for number in range(self.number)]
        began = self._now()
        begin()
        begun = self._now()
        first = open_one(0)
        first.sample()
        taken = (self._now() - begun) * self._stations + (begun - began) * _SHARERS
        fitting = int(_SHARE * self._budget * self._at_once / max(taken, 1e-9))
        self.number = max(1, min(self.number, fitting))
        self._budget = None  # the others have as many
        return [first, *(open_one(number) for number in range(1, self.number))]
