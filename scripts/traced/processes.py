"""When processes began a program and ended, as the kernel tells it (the process connector).

Independent of everything that cnbench does: linux/cn_proc.h over a netlink socket of the machine's
first namespaces. Times are ns of CLOCK_MONOTONIC.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_CONNECTOR, _PROC, _MULTICAST_LISTEN = 11, 1, 1
_EXEC, _EXIT = 0x2, 0x80000000
_ROOM = 1 << 22


@dataclass
class Lives:
    """Programs that were begun, and their ends.

    Attributes:
        begun: the program's name and when it began, by process.
        ended: name, beginning and end of each that has ended.
        heard: until when was listened.
    """

    begun: dict[int, tuple[str, int]] = field(default_factory=dict)
    ended: list[tuple[str, int, int]] = field(default_factory=list)
    heard: int = 0

    def begun_last(self, name: str) -> int:
        """When the last process of the program ``name`` began, that has not ended.

        Raises:
            ValueError: none has.
        """
        return max(began for program, began in self.begun.values() if program == name)

    def of(self, name: str) -> list[tuple[int, int]]:
        """Beginning and end of each process of the program ``name`` that has ended."""
        return [(began, ended) for program, began, ended in self.ended if program == name]

    def take(self, message: bytes) -> None:
        """Take one message: struct nlmsghdr, cn_msg and proc_event."""
        what, _cpu, when, pid, _thread_group = struct.unpack_from("=IIQii", message, 16 + 20)
        if what == _EXEC:
            with contextlib.suppress(OSError):
                self.begun[pid] = (Path(f"/proc/{pid}/comm").read_text().strip(), when)
        elif what == _EXIT and pid in self.begun:
            name, began = self.begun.pop(pid)
            self.ended.append((name, began, when))


def _what_to_ask_for() -> bytes:
    """Since Linux 6.6 beginnings and ends alone (struct proc_input); before, all that there is.

    What is not told slows nobody down: every process's names, owners and forks.
    """
    major, minor = (int(part) for part in os.uname().release.split(".")[:2])
    if (major, minor) < (6, 6):
        return struct.pack("=I", _MULTICAST_LISTEN)
    return struct.pack("=II", _MULTICAST_LISTEN, _EXEC | _EXIT)


@contextlib.contextmanager
def recorded() -> Iterator[Lives]:
    """Record the beginnings and ends of programs until leaving."""
    lives = Lives()
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _CONNECTOR) as events:
        events.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM)
        events.bind((os.getpid(), _PROC))
        what = _what_to_ask_for()
        asked = struct.pack("=IIIIHH", _PROC, 1, 0, 0, len(what), 0) + what
        header = struct.pack("=IHHII", 16 + len(asked), 3, 0, 0, os.getpid())
        events.send(header + asked)
        events.settimeout(0.1)
        over = threading.Event()

        def listen() -> None:
            while True:
                try:
                    lives.take(events.recv(4096))
                except TimeoutError:
                    if over.is_set():
                        return

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield lives
        finally:
            lives.heard = time.perf_counter_ns()
            over.set()
            thread.join()
