"""Copy-ups of one setting, and a plain copy of the same bytes beside each."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cnbench.core.proof import Check, Proof, true
from cnbench.experiments.copy_up.evidence import CLONED, COPIED, examine
from cnbench.experiments.copy_up.plain_copy import timed_copy
from cnbench.experiments.copy_up.proof import CopyUp, Observed
from cnbench.experiments.copy_up.setting import CopyUpSetting
from cnbench.experiments.copy_up.stage import Stage, open_stage, read_through
from cnbench.experiments.copy_up.triggers import prepare
from cnbench.experiments.copy_up.union import described, effective_options, open_union
from cnbench.lab.host import Lab
from cnbench.lab.storage.filesystems import MEMORY, Filesystem


@dataclass
class CopyUpSubject:
    """Overlays of one setting, each mounted for one copy-up."""

    setting: CopyUpSetting
    lab: Lab
    lower: Filesystem
    upper: Filesystem
    merged: Path
    _observed: Observed = field(init=False)

    def __post_init__(self) -> None:
        self._observed = Observed(self.setting)

    def sample(self) -> Mapping[str, float]:
        """The time that the trigger and a plain copy take, and their ratio."""
        # Turn about, so that neither always has what the other left in the caches.
        copy_first = len(self._observed.seen) % 2 == 1
        with open_stage(self.setting, self.lower, self.upper) as stage:
            copy = self._plain(stage) if copy_first else 0.0
            changed = self._copy_up(stage)
            copy = copy or self._plain(stage)
        return {**changed, "copy": copy, "overhead": changed["latency"] / copy}

    def _plain(self, stage: Stage) -> float:
        """The time that a plain copy of the same bytes takes, in the clock's unit."""
        self._prepare_caches(stage.original)
        target = stage.plain / "copy"
        with self.lab.timed.part():
            took = timed_copy(stage.original, target, self.lab.clock)
        self._observed.controls.add(target.stat().st_size)
        return self.lab.clock.units(took)

    def _copy_up(self, stage: Stage) -> dict[str, float]:
        """The times that the trigger takes in a fresh overlay and once more; what it wrote."""
        before = _identity(stage.original)
        if self.setting.cache == "cold":
            self._forget()
        with open_union(self.lab, self.setting, stage, self.merged) as merged:
            options = described(effective_options(merged)) or "no options"
            trigger = prepare(self.setting, merged / stage.file)
            if self.setting.cache == "warm":
                read_through(merged / stage.file)
            self.upper.flush()
            written_before = self.upper.written()
            with self.lab.timed.part():
                took = self._timed(trigger.call)
            written = self.upper.written()
            again = self._timed(trigger.again)
        written = None if written is None else written - (written_before or 0)
        self._observed.seen.append(
            CopyUp(
                upper=examine(stage.upper / trigger.afterwards.relative_to(merged)),
                untouched=_identity(stage.original) == before,
                options=options,
                written=written,
            )
        )
        return {
            "latency": self.lab.clock.units(took),
            "again": self.lab.clock.units(again),
            "written": float(written or 0),
        }

    def _timed(self, call: Callable[[], int | None]) -> int:
        took, descriptor = self.lab.clock.timed(call)
        if descriptor is not None:
            os.close(descriptor)
        return took

    def _prepare_caches(self, original: Path) -> None:
        if self.setting.cache == "cold":
            self._forget()
        else:
            read_through(original)
        self.upper.flush()

    def _forget(self) -> None:
        for filesystem in {id(each): each for each in (self.lower, self.upper)}.values():
            filesystem.forget_caches()

    def proof(self) -> Proof:
        """What was in the upper layer after each sample, and the way the data came there."""
        checks = [*self._observed.checks(), self._device()]
        if self.setting.leaves_data and self.setting.final_data:
            checks.append(self._copied_at_first_write())
        return Proof(tuple(checks))

    def _device(self) -> Check:
        device = self.upper.device
        if device is None:
            return true("the layers are in memory", MEMORY, True)
        kind = "direct I/O" if device.direct else "cached I/O"
        return true("the layers are on a loop device", f"{device.path.name}, {kind}", True)

    def _copied_at_first_write(self) -> Check:
        """Once more, and then opened for writing: the data has to come up after all."""
        with open_stage(self.setting, self.lower, self.upper) as stage:
            with open_union(self.lab, self.setting, stage, self.merged) as merged:
                trigger = prepare(self.setting, merged / stage.file)
                trigger.call()
                trigger.again()
                os.close(os.open(trigger.afterwards, os.O_WRONLY))
            file = examine(stage.upper / trigger.afterwards.relative_to(merged))
            way = file.way(self.setting.final_data) if file else "no file"
        return Check("the data at the first write", f"{COPIED} or {CLONED}", way,
                     way in (COPIED, CLONED))  # fmt: skip


def _identity(path: Path) -> tuple[int, int, int]:
    file = path.stat()
    return file.st_ino, file.st_size, file.st_mtime_ns
