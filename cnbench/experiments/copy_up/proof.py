"""What was seen of all copy-ups of one case, and the proof that follows from it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from cnbench.core.proof import Check, equal, true
from cnbench.core.units import format_quantity
from cnbench.experiments.copy_up.evidence import COPIED, LEFT_BELOW, UpperFile
from cnbench.experiments.copy_up.setting import CopyUpSetting


@dataclass(frozen=True)
class CopyUp:
    """One copy-up as it was seen afterwards.

    Attributes:
        upper: the file in the upper layer; None if there is none.
        untouched: whether the file below is still as it was made.
        options: of the overlay, from /proc/mounts and the module's defaults.
        written: bytes the upper layer's device took during the call; None in memory.
    """

    upper: UpperFile | None
    untouched: bool
    options: str
    written: int | None


# The claim of the proof that says which way the data came.
THE_WAY = "the way of the data"


@dataclass
class Observed:
    """All copy-ups of a case, and the sizes of the plain copies beside them."""

    setting: CopyUpSetting
    seen: list[CopyUp] = field(default_factory=list)
    controls: set[int] = field(default_factory=set)

    def checks(self) -> tuple[Check, ...]:
        """What must hold for the case's figures to be a copy-up's, beside what was seen."""
        files = [copy_up.upper for copy_up in self.seen if copy_up.upper]
        return (
            equal("files in the upper layer afterwards", len(self.seen), len(files)),
            true(
                "the lower file is as it was made",
                f"{sum(c.untouched for c in self.seen)} of {len(self.seen)}",
                all(c.untouched for c in self.seen),
            ),
            equal("size in the upper layer", {self.setting.final_size}, {f.size for f in files}),
            equal("bytes of the control", {self.setting.size}, self.controls),
            true(
                "the overlay's options are those asked for, in every sample",
                "; ".join({c.options for c in self.seen}),
                len({c.options for c in self.seen}) == 1,
            ),
            *self._way(files),
            *self._on_disk(files),
        )

    def _way(self, files: list[UpperFile]) -> tuple[Check, ...]:
        """Which way the data came, a word by which reports sort cases; and what shows it."""
        ways = Counter(file.way(self.setting.final_data) for file in files)
        if self.setting.leaves_data:
            expected, holds = LEFT_BELOW, set(ways) == {LEFT_BELOW}
        else:
            expected, holds = "one", len(ways) == 1 and LEFT_BELOW not in ways
        way = Check(THE_WAY, expected, ", ".join(ways) or "nothing", holds)
        return (way, *(true("what shows that way", _shown_by(file), True) for file in files[-1:]))

    def _on_disk(self, files: list[UpperFile]) -> list[Check]:
        """That copied data was on the disk when the call returned, where the overlay sees to it."""
        written = [copy_up.written for copy_up in self.seen if copy_up.written is not None]
        if not written:
            return []
        said = f"{format_quantity(min(written), 'B')} or more"
        copied = any(file.way(self.setting.final_data) == COPIED for file in files)
        if copied and self.setting.syncs:
            enough = min(written) >= self.setting.final_data
            return [true("copied data was on its device before the call returned", said, enough)]
        return [true("written to the device before the call returned", said, True)]


def _shown_by(file: UpperFile) -> str:
    shared = "unknown" if file.shared is None else format_quantity(file.shared, "B")
    names = ", ".join(file.attributes) or "no attributes"
    return f"{format_quantity(file.allocated, 'B')} allocated, {shared} shared; {names}"
