"""Children that do one thing and end: what changes a process for good is not done in our own."""

from __future__ import annotations

import contextlib
import json
import mmap
import os
from collections.abc import Callable
from typing import Any

from cnbench.core.errors import UnsupportedError

_ROOM = 4 * mmap.PAGESIZE


def in_child(
    task: Callable[[], object], meanwhile: Callable[[int], object] = lambda pid: None
) -> Any:
    """What ``task`` returns in a child; ``meanwhile`` is called with its number before it ends.

    Raises:
        UnsupportedError: the task raised an OSError: the kernel refuses something.
    """
    return in_children(task, 1, meanwhile)[0]


def in_children(
    task: Callable[[], object], count: int, meanwhile: Callable[[int], object] = lambda pid: None
) -> list[Any]:
    """As ``in_child``, in ``count`` children that begin at the same moment."""
    begin = os.pipe2(os.O_CLOEXEC)
    end = os.pipe2(os.O_CLOEXEC)
    done = os.pipe2(os.O_CLOEXEC)
    rooms = [mmap.mmap(-1, _ROOM) for _ in range(count)]
    pids = [_child(task, room, begin, end, done) for room in rooms]
    try:
        os.close(begin[1])
        os.close(done[1])
        os.read(done[0], 1)  # closed by the last of them
        for pid in pids:
            meanwhile(pid)
    finally:
        os.close(end[1])
        for pid in pids:
            os.waitpid(pid, 0)
        for descriptor in (begin[0], end[0], done[0]):
            os.close(descriptor)
    said = [json.loads(room[:].rstrip(b"\0") or b'{"refused": "it died"}') for room in rooms]
    for answer in said:
        if "refused" in answer:
            raise UnsupportedError(
                str(answer["refused"]), "run as root, or use a newer kernel: --lab guest"
            )
    return [answer["said"] for answer in said]


def _child(
    task: Callable[[], object],
    room: mmap.mmap,
    begin: tuple[int, int],
    end: tuple[int, int],
    done: tuple[int, int],
) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        for descriptor in (begin[1], end[1], done[0]):
            os.close(descriptor)
        os.read(begin[0], 1)  # until the parent closes the other end, or ends
        try:
            answer: dict[str, object] = {"said": task()}
        except OSError as error:
            answer = {"refused": f"{error.filename or 'a call'}: {error.strerror}"}
        room.write(json.dumps(answer).encode())
        os.close(done[1])
        os.read(end[0], 1)
    finally:
        with contextlib.suppress(BaseException):
            os._exit(0)
    return 0
