"""What time means in a lab."""

from __future__ import annotations

import time
from dataclasses import dataclass

from cnbench.core.metric import ClockName


@dataclass(frozen=True)
class Clock:
    """The clock that samples are taken with.

    On ``wall`` a tick is a nanosecond and the unit a second. On ``instructions`` the guest's
    virtual clock advances by one nanosecond an executed instruction (QEMU's ``-icount shift=0``),
    so a tick is an instruction, and so is the unit.
    """

    name: ClockName

    @property
    def unit_ticks(self) -> float:
        """Ticks in one base unit of this clock."""
        return 1e9 if self.name == "wall" else 1.0

    def units(self, ticks: float) -> float:
        """Ticks as base units: seconds, or instructions."""
        return ticks / self.unit_ticks

    @staticmethod
    def ticks() -> int:
        """The clock's reading now; only differences mean anything."""
        return time.perf_counter_ns()
