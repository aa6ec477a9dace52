"""Whether what is to be cut off is copied up first."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cnbench.behaviours.behaviour import Behaviour
from cnbench.behaviours.overlay.stage import open_overlay
from cnbench.lab.host import Lab

_SIZE = 8 << 20
_ROOM = 4 << 20


def _fill(lower: Path) -> None:
    (lower / "file").write_bytes(os.urandom(1) * _SIZE)


def _opened(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_TRUNC))


_WAYS: dict[str, Callable[[Path], None]] = {
    "truncate": lambda path: os.truncate(path, 0),
    "O_TRUNC": _opened,
}


def _copies(lab: Lab, cut: Callable[[Path], None], room: int) -> str:
    with open_overlay(lab, fill=_fill, upper_options=f"size={room}") as stage:
        try:
            cut(stage.merged / "file")
        except OSError as error:
            if error.errno == errno.ENOSPC:
                return "copied first"
            raise
        return "fits"


def _probe(lab: Lab, room: int = _ROOM) -> str:
    return ", ".join(f"{name}: {_copies(lab, cut, room)}" for name, cut in _WAYS.items())


BEHAVIOUR = Behaviour(
    name="overlay.truncated",
    question="Is a file copied up before it is emptied?",
    method="empties 8 MiB of the lower layer with 4 MiB of room in the upper one",
    matters="emptying a large log of the image may fill the disk, by the one way and not the other",
    source="fs/overlayfs/inode.c: ovl_setattr; fs/overlayfs/copy_up.c: ovl_copy_up_flags",
    probe=_probe,
    controls=(partial(_probe, room=4 * _SIZE),),
)
