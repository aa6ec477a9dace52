"""copy-up: what does a container pay when it first changes a file of its image?

overlayfs then copies the file, and the folders above it, to the upper layer before the call that
changes it goes on. That one call is timed, on a file that was never copied up before, in an overlay
mounted for this sample. Beside it, in the same sample, the same bytes are copied and synced on the
bare upper file system: ``overhead`` is the ratio of the two, and survives a noisy disk.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Params
from cnbench.core.proof import Check, Proof, true
from cnbench.experiments.copy_up_grid import PARAMETERS, makes_no_sense
from cnbench.lab.filesystems import MEMORY, Filesystem, require_filesystem
from cnbench.lab.host import Lab
from cnbench.probes.copyup.evidence import CLONED, COPIED, examine
from cnbench.probes.copyup.observed import CopyUp, Observed
from cnbench.probes.copyup.plain_copy import timed_copy
from cnbench.probes.copyup.setting import BLOCK, Setting
from cnbench.probes.copyup.stage import Stage, open_stage, read_through
from cnbench.probes.copyup.triggers import prepare
from cnbench.probes.copyup.union import described, effective_options, open_union, require_driver


@dataclass
class CopyUpSubject:
    """Overlays of one setting, each mounted for one copy-up."""

    setting: Setting
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
            latency = self._copy_up(stage)
            copy = copy or self._plain(stage)
        return {"latency": latency, "copy": copy, "overhead": latency / copy}

    def _plain(self, stage: Stage) -> float:
        """The time that a plain copy of the same bytes takes, in the clock's unit."""
        self._prepare_caches(stage.original)
        target = stage.plain / "copy"
        took = timed_copy(stage.original, target, self.lab.clock)
        self._observed.controls.add(target.stat().st_size)
        return self.lab.clock.units(took)

    def _copy_up(self, stage: Stage) -> float:
        """The time that the trigger takes in a fresh overlay, in the clock's unit."""
        before = _identity(stage.original)
        if self.setting.cache == "cold":
            self._forget()
        with open_union(self.lab, self.setting, stage, self.merged) as merged:
            options = described(effective_options(merged)) or "no options"
            call, afterwards = prepare(self.setting, merged / stage.file)
            if self.setting.cache == "warm":
                read_through(merged / stage.file)
            self.upper.flush()
            written_before = self.upper.written()
            took = self._timed(call)
            written = self.upper.written()
        self._observed.seen.append(
            CopyUp(
                upper=examine(stage.upper / afterwards.relative_to(merged)),
                untouched=_identity(stage.original) == before,
                options=options,
                written=None if written is None else written - (written_before or 0),
            )
        )
        return self.lab.clock.units(took)

    def _timed(self, call: Callable[[], int | None]) -> int:
        clock = self.lab.clock
        began = clock.ticks()
        descriptor = call()
        took = clock.ticks() - began
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
                call, afterwards = prepare(self.setting, merged / stage.file)
                call()
                os.close(os.open(afterwards, os.O_WRONLY))
            file = examine(stage.upper / afterwards.relative_to(merged))
            way = file.way(self.setting.final_data) if file else "no file"
        return Check("the data at the first write", f"{COPIED} or {CLONED}", way,
                     way in (COPIED, CLONED))  # fmt: skip


def _identity(path: Path) -> tuple[int, int, int]:
    file = path.stat()
    return file.st_ino, file.st_size, file.st_mtime_ns


@contextlib.contextmanager
def open_subject(params: Params, lab: Lab) -> Iterator[CopyUpSubject]:
    """File systems for the layers, shared with the cases of the same group."""
    setting = Setting.of(params)
    # The file, what is copied up of it, and the plain copy; then the folders of all layers.
    room = 3 * setting.size + (setting.layers + 1) * (setting.depth + 1) * 4 * BLOCK

    def filesystem(role: str) -> Filesystem:
        return lab.fixture(
            (role, setting.filesystem, room), lambda: lab.filesystem(setting.filesystem, room)
        )

    upper = filesystem("upper")
    lower = upper if setting.lower == "same" else filesystem("lower")
    subject = CopyUpSubject(setting, lab, lower, upper, lab.temporary_folder())
    yield subject


def _require(params: Params, lab: Lab) -> None:
    setting = Setting.of(params)
    require_filesystem(setting.filesystem)
    require_driver(setting.driver)


EXPERIMENT = Experiment(
    name="copy-up",
    question="What does a container pay when it first changes a file of its image?",
    parameters=PARAMETERS,
    metrics=(
        Metric("latency", "s", "lower", "ratio", "time of the call that changes the file first"),
        Metric("overhead", "", "lower", "ratio", "that time over a plain, synced copy's"),
        Metric("copy", "s", "lower", "ratio", "time of the plain copy, on the bare file system"),
    ),
    variant="filesystem",
    beside=("lower", "driver", "trigger", "options"),
    subject=open_subject,
    require=_require,
    nonsense=makes_no_sense,
    tools=("mkfs.ext4", "mkfs.xfs", "mkfs.btrfs", "fuse-overlayfs"),
)
