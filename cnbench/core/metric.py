"""What is measured: name, unit, which direction is better, and how two values are compared."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from cnbench.core.errors import CnbenchError
from cnbench.core.units import FRACTION, format_quantity, known_units

Better = Literal["lower", "higher", "zero"]
Scale = Literal["ratio", "additive"]
ClockName = Literal["wall", "instructions"]

_ON_THE_INSTRUCTION_CLOCK = {
    "s": "instructions",
    "s/B": "instructions/B",
    "B/s": "B/instructions",
}
_VIRTUAL_TIME = "virtual ns"
# As a share: tenfold.
_LARGEST_FLOOR = 10.0


@dataclass(frozen=True)
class Metric:
    """One figure that a sample gives.

    Attributes:
        name: the field's term for it (``connect``, ``throttled``).
        unit: base unit on the wall clock; on the instruction clock seconds become instructions.
        better: ``lower``, ``higher``, or ``zero`` for a signed error that should vanish.
        scale: ``ratio`` where two values are compared by their quotient (always positive),
            ``additive`` where by their difference (zero and negative values are legal).
        summary: one line that says what it is.
        elapsed: whether it is time that passes by itself, whatever is executed: seconds then
            become nanoseconds of the guest's virtual clock.
        share: whether it is a part of a whole, which lies from 0 to 1.
    """

    name: str
    unit: str
    better: Better
    scale: Scale
    summary: str
    elapsed: bool = False
    share: bool = False

    def __post_init__(self) -> None:
        if self.unit not in known_units():
            raise CnbenchError(f"metric {self.name}: the unit '{self.unit}' is not a base unit")

    def unit_on(self, clock: ClockName) -> str:
        """The unit of values taken on ``clock``: a guest's virtual second is not a second."""
        if clock == "instructions":
            if self.elapsed and self.unit == "s":
                return _VIRTUAL_TIME
            return _ON_THE_INSTRUCTION_CLOCK.get(self.unit, self.unit)
        return self.unit

    def check(self, value: float) -> float:
        """Give ``value`` back if this metric can have it.

        Raises:
            CnbenchError: not finite, not positive although the metric is compared by quotients, or
                a share outside 0 to 1.
        """
        if not math.isfinite(value):
            raise CnbenchError(f"metric {self.name}: {value} is not a finite number")
        if self.scale == "ratio" and value <= 0:
            raise CnbenchError(
                f"metric {self.name}: {value} is not positive, but it is compared by ratio"
            )
        if value != self.possible(value):
            raise CnbenchError(f"metric {self.name}: {value} is no share, which is from 0 to 1")
        return value

    def possible(self, end: float) -> float:
        """The end of an interval, or where a share ends before it; what has no bound gets none."""
        return min(max(end, 0.0), 1.0) if self.share and math.isfinite(end) else end

    def show_floor(self, noise: float, unit: str) -> str:
        """A noise floor: a share of the value if compared by ratio, else in ``unit``.

        Few blocks that scatter widely give floors of any size; beyond tenfold no digit says more.
        """
        if self.scale != "ratio":
            return format_quantity(noise, unit)
        return format_quantity(noise, FRACTION) if noise <= _LARGEST_FLOOR else "over 1000 %"

    def show(self, value: float, clock: ClockName = "wall") -> str:
        """``value`` as a person reads it; signed errors keep their sign."""
        return format_quantity(value, self.unit_on(clock), signed=self.better == "zero")
