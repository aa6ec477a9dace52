"""Requests to a service in a cgroup, sent at set times whether or not the last was answered.

A client that waits for each answer sends nothing while the service is held back, and so never sees
most of what a user would wait for. Here a response time counts from the time set for its request.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

from cnbench.core.errors import CnbenchError
from cnbench.lab.cgroups.cpu import CpuGroup
from cnbench.lab.clock import Clock
from cnbench.lab.processes import python_script, running
from cnbench.probes import server

_PATIENCE_NS = 30_000_000_000


class Responder:
    """A service that is running. Use ``open_service``."""

    def __init__(self, pid: int, connection: socket.socket, clock: Clock) -> None:
        self.pid = pid
        self._connection = connection
        self._clock = clock

    def respond(self, costs: Sequence[int], spacing: int) -> list[int]:
        """Send requests that cost ``costs`` (ns of CPU time), one every ``spacing`` (ns).

        Returns:
            The response time of each, in clock ticks.

        Raises:
            CnbenchError: the service ended, or does not answer.
        """
        try:
            return self._respond(costs, spacing)
        except ConnectionError as error:
            raise CnbenchError(f"the service in the limited group has ended: {error}") from error

    def _respond(self, costs: Sequence[int], spacing: int) -> list[int]:
        began = self._clock.ticks()
        due = [began + spacing * position for position in range(len(costs))]
        answered: list[int] = []
        sent = 0
        while len(answered) < len(costs):
            now = self._clock.ticks()
            if sent < len(costs) and now >= due[sent]:
                self._connection.sendall(server.REQUEST.pack(costs[sent]))
                sent += 1
                continue
            until = due[sent] if sent < len(costs) else now + _PATIENCE_NS
            for _answer in self._answers((until - now) / 1e9, must=sent == len(costs)):
                answered.append(self._clock.ticks() - due[len(answered)])
        return answered

    def _answers(self, seconds: float, must: bool) -> bytes:
        ready, _, _ = select.select([self._connection], [], [], seconds)
        if not ready:
            if must:
                raise CnbenchError("the service in the limited group does not answer")
            return b""
        answers = self._connection.recv(4096)
        if not answers:
            raise ConnectionError("it closed its connection")
        return answers


@contextlib.contextmanager
def open_service(group: CpuGroup, clock: Clock) -> Iterator[Responder]:
    """A service of one thread inside ``group``, which has answered its first request."""
    ours, theirs = socket.socketpair()
    argv = python_script(Path(server.__file__), str(theirs.fileno()), str(os.getpid()))
    with ours, theirs, running(argv, pass_fds=[theirs.fileno()]) as process:
        theirs.close()  # so that its end is seen here
        group.add(process.pid)
        service = Responder(process.pid, ours, clock)
        service.respond([0], 0)
        yield service
