"""Talking to a process of ours over a socket: a task as one JSON line, its answer as another."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import Any

from cnbench.core.errors import CnbenchError


class Conversation:
    """Tasks for a process, and its answers in their order.

    Args:
        connection: our end; whoever opened it closes it.
        whom: who is at the other end, for messages.
    """

    def __init__(self, connection: socket.socket, whom: str) -> None:
        self._connection = connection
        self._lines = connection.makefile("r")
        self._whom = whom

    def ask(self, task: str, *arguments: object) -> None:
        """Send a task; that the other end is gone is told by ``answer``."""
        with contextlib.suppress(ConnectionError):
            self._connection.sendall((json.dumps([task, *arguments]) + "\n").encode())

    def answer(self, where: str) -> Any:
        """Wait for the next answer, and give what it says.

        Raises:
            CnbenchError: it was refused, ``where`` the message begins with, or the process ended.
        """
        try:
            line = self._lines.readline()
        except ConnectionError:
            line = ""
        if not line:
            raise CnbenchError(f"{self._whom} was killed, or ended")
        answer = json.loads(line)
        if "refused" in answer:
            raise CnbenchError(f"{where}{answer['refused']}")
        return answer["said"]

    def close(self) -> None:
        """Forget what might still be said."""
        self._lines.close()
