"""What a group may use, by its own quota and that of a group above it."""

from __future__ import annotations

from dataclasses import dataclass

# A parent's quota over its group's own.
_PARENTS = {"looser": 2.0, "tighter": 0.5}


@dataclass(frozen=True)
class Limits:
    """What a group may use; quotas in CPUs, the period in seconds, the burst in quotas.

    Attributes:
        nested: ``none``, or a parent whose quota is ``looser`` or ``tighter`` than the group's.
    """

    quota: float
    period: float
    burst: float
    nested: str

    @property
    def parents(self) -> float:
        """The quota of the group above."""
        return self.quota * _PARENTS[self.nested]

    @property
    def allowed(self) -> float:
        """What the group can use: the tighter quota wins."""
        return self.quota if self.nested == "none" else min(self.quota, self.parents)

    def in_microseconds(self, quota: float) -> tuple[int, int]:
        """A quota and its period as the kernel has them."""
        return round(quota * self.period * 1e6), round(self.period * 1e6)
