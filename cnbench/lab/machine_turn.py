"""Taking turns on one machine: what is timed alone, what is counted beside others of its kind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cnbench.core.errors import UnsupportedError
from cnbench.lab.cpus import kept_on
from cnbench.lab.journal import default_folder

# How often whoever waits for a processor looks for a free one; a group that counts takes seconds.
_SECONDS_BETWEEN_LOOKS = 0.02


@contextlib.contextmanager
def machine_turn(*, alone: bool, folder: Path | None = None) -> Iterator[None]:
    """Wait for this machine's turn: ``alone``, or beside all others that need not be.

    Of all processes of this user that ask. The kernel ends a turn with its process, however that
    comes to its end.

    Raises:
        UnsupportedError: the folder of journals cannot be written.
    """
    folder = folder or default_folder()
    with _opened(folder, "turn") as turn, _opened(folder, "gate") as gate:
        # Whoever waits keeps the gate: those that count and come later do not go before one that
        # is timed, which would otherwise wait for a moment in which none of them counts.
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(turn, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(gate, fcntl.LOCK_UN)
        yield


@contextlib.contextmanager
def own_processor(folder: Path | None = None) -> Iterator[int]:
    """Wait for a processor that nobody else has who asks so, and stay on it; gives its number.

    Two guests on one processor take each other's caches away, and both take longer than in turns.
    Of all processes of this user; the kernel ends it with its process, as it does a turn.

    Raises:
        UnsupportedError: the folder of journals cannot be written.
    """
    folder = folder or default_folder()
    allowed = os.sched_getaffinity(0)
    with contextlib.ExitStack() as stack:
        places = {n: stack.enter_context(_opened(folder, f"processor-{n}")) for n in allowed}
        with _opened(folder, _queue_for(allowed)) as queue:
            # Who came first looks, and the others wait for that one.
            fcntl.flock(queue, fcntl.LOCK_EX)
            while (number := _first_free(places)) is None:
                time.sleep(_SECONDS_BETWEEN_LOOKS)
        with kept_on(number):
            yield number


def _queue_for(allowed: Iterable[int]) -> str:
    """The queue of all that may run where this one may.

    One that is held to a busy processor would otherwise keep others from those that are free. (Two
    queues that happen to have one name are one queue, as all would be without this.)
    """
    return f"processors-{zlib.crc32(repr(sorted(allowed)).encode()):08x}"


def _first_free(places: Mapping[int, int]) -> int | None:
    """The first of ``places``, descriptors by number, that could be locked, or None."""
    for number, place in sorted(places.items()):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return number
    return None


@contextlib.contextmanager
def _opened(folder: Path, name: str) -> Iterator[int]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(folder / name, flags, 0o600)
    except OSError as error:
        raise UnsupportedError(
            f"turns on this machine cannot be taken in {folder}: {error.strerror}",
            "free the folder for this user",
        ) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)
