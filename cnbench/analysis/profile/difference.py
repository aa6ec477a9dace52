"""Two profiles beside each other: which functions gained, and which lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cnbench.analysis.profile.stacks import self_counts, stacks_in, total_counts
from cnbench.store.profiles import Profile


@dataclass(frozen=True)
class Changed:
    """One function in both, in instructions.

    Attributes:
        function: its name, without the module, which it may have moved to or from.
        before: what it executed itself; 0 where it is not called.
        after: likewise.
        total_before: with all that it called.
        total_after: likewise.
    """

    function: str
    before: int
    after: int
    total_before: int
    total_after: int

    @property
    def gained(self) -> int:
        """By how much it executes more itself; negative where it lost."""
        return self.after - self.before

    @property
    def total_gained(self) -> int:
        """The same with all that it calls."""
        return self.total_after - self.total_before


def changes(before: Profile, after: Profile) -> list[Changed]:
    """All functions of both, the largest change of what they execute themselves first."""
    ours = [_by_name(self_counts(stacks_in(profile))) for profile in (before, after)]
    totals = [_by_name(total_counts(stacks_in(profile))) for profile in (before, after)]
    found = [
        Changed(
            name,
            *(counts.get(name, 0) for counts in ours),
            *(counts.get(name, 0) for counts in totals),
        )
        for name in dict.fromkeys([*totals[0], *totals[1]])
    ]
    return sorted(found, key=lambda change: (-abs(change.gained), change.function))


def _by_name(counts: Mapping[str, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for function, count in counts.items():
        name = function if function.startswith("[") else function.partition(" ")[0]
        found[name] = found.get(name, 0) + count
    return found
