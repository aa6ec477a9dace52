"""copy-up: what does a container pay when it first changes a file of its image?

overlayfs then copies the file, and the folders above it, to the upper layer before the call that
changes it goes on. That one call is timed, on a file that was never copied up before, in an overlay
mounted for this sample. Beside it, in the same sample, the same bytes are copied and synced on the
bare upper file system: ``overhead`` is the ratio of the two, and survives a noisy disk.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Point
from cnbench.experiments.copy_up.grid import PARAMETERS, nonsense
from cnbench.experiments.copy_up.setting import BLOCK, CopyUpSetting
from cnbench.experiments.copy_up.subject import CopyUpSubject
from cnbench.experiments.copy_up.union import require_driver
from cnbench.lab.host import Lab
from cnbench.lab.storage.filesystems import Filesystem, require_filesystem


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[CopyUpSubject]:
    """File systems for the layers, shared with the cases of the same group."""
    setting = CopyUpSetting.of(params)
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


def _require(params: Point, lab: Lab) -> None:
    setting = CopyUpSetting.of(params)
    lab.require_mounts()
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
        Metric("again", "s", "lower", "ratio", "time of the same call on the file copied up"),
        Metric(
            "written",
            "B",
            "lower",
            "additive",
            "what the upper layer's device took during the first call; nothing in memory",
        ),
    ),
    variant="filesystem",
    beside=("lower", "driver", "trigger", "options"),
    subject=open_subject,
    require=_require,
    nonsense=nonsense,
    tools=("mkfs.ext4", "mkfs.xfs", "mkfs.btrfs", "fuse-overlayfs"),
)
