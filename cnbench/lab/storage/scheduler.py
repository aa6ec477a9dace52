"""The scheduler of a disk's requests: another one for a while, for a disk of the run's own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from cnbench.core.errors import UnsupportedError
from cnbench.lab.journal import Journal
from cnbench.lab.resources import Resource
from cnbench.lab.storage.loop import LoopDevice


@contextlib.contextmanager
def open_scheduler(
    journal: Journal, disk: LoopDevice, name: str, settings: Mapping[str, int]
) -> Iterator[None]:
    """Have the scheduler called ``name`` order what ``disk`` is asked for, with its ``settings``.

    A loop device keeps its scheduler when it is detached, so the one that it had is in the journal;
    settings end with their scheduler.

    Raises:
        UnsupportedError: this kernel has no such scheduler, or none with such a setting.
    """
    queue = Path("/sys/block", disk.path.name, "queue")
    with journal.owning(Resource("scheduler", f"{disk.image} {current(disk)}")):
        try:
            # The kernel loads the scheduler's module where it has one (block/elevator.c).
            (queue / "scheduler").write_text(name)
            for setting, value in settings.items():
                (queue / "iosched" / setting).write_text(str(value))
        except OSError as error:
            raise UnsupportedError(
                f"this kernel cannot schedule a disk by {name}: {error.strerror}",
                "use one with it: --lab guest",
            ) from error
        yield


def current(disk: LoopDevice) -> str:
    """The name of the scheduler that a disk has; the kernel has it in brackets among all."""
    text = Path("/sys/block", disk.path.name, "queue/scheduler").read_text()
    return text.partition("[")[2].partition("]")[0] or text.split()[0]
