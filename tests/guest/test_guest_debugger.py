import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import pytest

from cnbench.lab.guest.debugger import open_debugger
from cnbench.lab.guest.errors import GuestError
from cnbench.lab.guest.monitor import Monitor


class Server:
    """Takes the debugger's end, as QEMU does, and gives it one answer."""

    def __init__(self, answer: bytes) -> None:
        self.heard = b""
        self.orders: list[str] = []
        self._answer = answer
        self._end = socket.socket()

    def command(self, name: str, arguments: Any = None, descriptors: Sequence[int] = ()) -> None:
        self.orders.append(name)
        if descriptors:
            self._end = socket.socket(fileno=socket.dup(descriptors[0]))

    def serve(self) -> None:
        with self._end:
            self.heard = self._end.recv(4096)
            self._end.sendall(self._answer)


@contextmanager
def serving(answer: bytes) -> Iterator[tuple[Server, Any]]:
    server = Server(answer)
    with open_debugger(cast(Monitor, server)) as debugger:
        thread = threading.Thread(target=server.serve)
        thread.start()
        yield server, debugger
        thread.join()


def test_memory_is_written_as_the_protocol_has_it() -> None:
    # A machine that has just stopped says so first.
    with serving(b"$T02thread:01;#04+$OK#9a") as (server, debugger):
        debugger.write(0xFFFF_FFFF_8385_4100, b"\x00\xff")
    body = b"Mffffffff83854100,2:00ff"
    assert server.heard == b"$%s#%02x" % (body, sum(body) % 256)
    assert server.orders == ["getfd", "chardev-add", "human-monitor-command"]


@pytest.mark.parametrize("answer", [b"+$E22#a9", b"", b"+"])
def test_a_write_that_is_refused_is_told(answer: bytes) -> None:
    with serving(answer) as (_, debugger), pytest.raises(GuestError, match="did not write"):
        debugger.write(0x1000, b"\x00")
