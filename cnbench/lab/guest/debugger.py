"""Writing into a stopped guest's memory, as a debugger does (GDB Remote Serial Protocol)."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

from cnbench.lab.guest.errors import GuestError
from cnbench.lab.guest.monitor import Monitor

_NAME = "debugger"
_ANSWER_SECONDS = 60
_DONE = b"+$OK#9a"  # acknowledged, and done; a checksum follows the #


class Debugger:
    """A connection to the server for debuggers that QEMU has in it. Use ``open_debugger``."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end

    def write(self, address: int, contents: bytes) -> None:
        """Write ``contents`` at an address of the guest's kernel; the machine is stopped.

        Raises:
            GuestError: QEMU did not do it.
        """
        packet = f"M{address:x},{len(contents):x}:{contents.hex()}"
        self._socket.sendall(f"${packet}#{sum(packet.encode()) % 256:02x}".encode())
        answer = b""
        with contextlib.suppress(TimeoutError):
            # Before that QEMU says that the machine has stopped, if it has.
            while not answer.endswith(_DONE) and (more := self._socket.recv(64)):
                answer += more
        if not answer.endswith(_DONE):
            raise GuestError(f"QEMU did not write to the guest's memory: it said {answer!r}")


@contextlib.contextmanager
def open_debugger(monitor: Monitor) -> Iterator[Debugger]:
    """A debugger of the machine that ``monitor`` is of; QEMU stops the machine for it.

    Raises:
        GuestError: QEMU refused it.
    """
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            monitor.command("getfd", {"fdname": _NAME}, [theirs.fileno()])
        place = {"type": "fd", "data": {"str": _NAME}}
        backend = {"type": "socket", "data": {"addr": place, "server": False}}
        monitor.command("chardev-add", {"id": _NAME, "backend": backend})
        order = {"command-line": f"gdbserver chardev:{_NAME}"}
        monitor.command("human-monitor-command", order)
        ours.settimeout(_ANSWER_SECONDS)
        yield Debugger(ours)
