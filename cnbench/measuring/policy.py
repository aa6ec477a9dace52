"""How long a group is sampled, and in how many set-ups."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cnbench.measuring.stop_rule import FEWEST_FOR_95_PERCENT

# How many times the time for sampling bounds set-ups that a comparison asks for, without a budget.
_SETUPS_OF_SOFT = 8


@dataclass(frozen=True)
class Policy:
    """How long a group is sampled.

    Attributes:
        target: the precision at which to stop: the half-width of the headline metric's 95 %
            interval, as a share of the median (ratio metrics) or absolute (additive ones), for
            every case; and half of it for what A′ differs from A by.
        budget: seconds after which to stop in any case.
        hard: whether the budget ends sampling before there are enough blocks for an interval.
        seed: of the block order.
        most_blocks: blocks after which to stop in any case.
        fewest_blocks: blocks before which nothing stops it but a hard budget.
        fewest_setups: how many set-ups a case has at least, where they fit in the time.
    """

    target: float = 0.01
    budget: float = 10.0
    hard: bool = False
    seed: int = 1
    most_blocks: int = 10_000
    fewest_blocks: int = FEWEST_FOR_95_PERCENT
    fewest_setups: int = 1

    @property
    def setup_budget(self) -> float | None:
        """The time that bounds the number of set-ups; None where an experiment's own is made."""
        if self.hard:
            return self.budget
        soft = self.fewest_setups > 1 and math.isfinite(self.budget)
        return _SETUPS_OF_SOFT * self.budget if soft else None
