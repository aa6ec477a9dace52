"""Saved set-ups: guests in which what is to be measured is set up already.

One that has programmed a thousand services is saved as it is, and others go on from there in a
fraction of a second. It is kept under a digest of all that went into it, with what its guest had
told until then. All together take no more than a few gigabytes of the cache: what was not used for
an hour makes room, and before that, whenever it was used, what other code was saved with. Where
there is none, nothing is saved.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cnbench.lab.guest.build import cache
from cnbench.lab.guest.channel import Message
from cnbench.lab.guest.machine import Machine

# Some 25 of a quarter of a gigabyte each.
_MOST_BYTES = 6 << 30
_LEFT_FREE_BYTES = 4 << 30
_STILL_WANTED_SECONDS = 3600
_ABANDONED_SECONDS = 60
_BUILDING = ".building-"


@dataclass(frozen=True)
class SavedSetup:
    """A set-up that was saved.

    Attributes:
        state: the file of the guest's state.
        told: what the guest had told before it was saved, in order.
        saved: when that was, by this machine's clock (ISO 8601).
    """

    state: Path
    told: Sequence[Message]
    saved: str


def find(name: str) -> SavedSetup | None:
    """The set-up that was saved under ``name``, or None."""
    place = _folder() / name
    try:
        told = json.loads((place / "told").read_text())
        saved = datetime.fromtimestamp((place / "told").stat().st_mtime).astimezone()
        cache.used(place)
    except (OSError, ValueError):
        return None
    return SavedSetup(place_of(name), told, saved.isoformat(timespec="seconds"))


def place_of(name: str) -> Path:
    """The file of the state that is saved under ``name``."""
    return _folder() / name / "state"


def save(name: str, machine: Machine, told: Sequence[Message]) -> bool:
    """Save ``machine``, which then goes on, under ``name``; whether there was room.

    Raises:
        GuestError: its state could not be written.
        OSError: likewise.
    """
    _folder().mkdir(parents=True, exist_ok=True)
    _remove_abandoned()
    if not _has_room(name):
        return False
    with _building() as building:
        try:
            machine.monitor.save(building / "state")
        finally:
            machine.monitor.command("cont")
        (building / "told").write_text(json.dumps(list(told)))
        with contextlib.suppress(OSError):  # another run has put it there meanwhile
            building.rename(_folder() / name)
    return True


def forget(beginning: str) -> None:
    """Remove what was saved under names that begin so."""
    for place in _folder().glob(f"{beginning}*"):
        cache.remove(place)


def _folder() -> Path:
    return cache.folder() / "guest" / "setups"


def _has_room(name: str) -> bool:
    """Whether one more as large as the largest fits, once others than ``name`` have made room.

    Whoever works on the code would wait for an hour otherwise: each change has states of its own.
    """
    by_use = sorted(
        _pieces(), key=lambda path: (_of_same_code(path.name, name), path.stat().st_mtime)
    )
    sizes = {path: _bytes_of(path) for path in by_use}
    for path in by_use:
        if sum(sizes.values()) + max(sizes.values(), default=0) <= _MOST_BYTES:
            break
        unused = time.time() - path.stat().st_mtime
        if unused > _STILL_WANTED_SECONDS or not _of_same_code(path.name, name):
            cache.remove(path)
            del sizes[path]
    fits = sum(sizes.values()) + max(sizes.values(), default=0) <= _MOST_BYTES
    return fits and shutil.disk_usage(_folder()).free > _LEFT_FREE_BYTES


def _of_same_code(one: str, other: str) -> bool:
    """Whether the same code made two: `saved.setup_name` has it as the last part but one."""
    return one.split("-")[-2:-1] == other.split("-")[-2:-1]


def _pieces() -> list[Path]:
    return [path for path in _folder().iterdir() if not path.name.startswith(".")]


def _bytes_of(piece: Path) -> int:
    return sum(file.stat().st_size for file in piece.iterdir())


@contextlib.contextmanager
def _building() -> Iterator[Path]:
    """A folder to write to, locked while this process lives, and gone on leaving if still there."""
    building = Path(tempfile.mkdtemp(dir=_folder(), prefix=_BUILDING))
    lock = os.open(building, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield building
    finally:
        os.close(lock)
        cache.remove(building)


def _remove_abandoned() -> None:
    """Remove what killed processes were writing."""
    for building in _folder().glob(f"{_BUILDING}*"):
        with contextlib.suppress(OSError):
            lock = os.open(building, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # One that was made just now may not be locked yet.
                if time.time() - building.stat().st_mtime > _ABANDONED_SECONDS:
                    cache.remove(building)
            finally:
                os.close(lock)
