"""Taking turns on one machine: what is timed alone, what is counted beside others of its kind."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from cnbench.core.errors import UnsupportedError
from cnbench.lab.journal import default_folder


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
