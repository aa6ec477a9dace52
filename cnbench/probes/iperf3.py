"""iperf3: streams between two processes, as most published figures are measured."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cnbench.core.errors import CnbenchError, CommandError
from cnbench.lab.processes import check_alive, running
from cnbench.lab.waiting import wait_until
from cnbench.probes.traffic import CONGESTION_CONTROL, End

_PORT = 5201
_PATIENCE = 60.0
# How often is looked whether a client has ended: seldom, since it costs what is measured.
_ASK_AGAIN = 0.05
_BUSY = "the server is busy"
# TCP_LISTEN of net/tcp_states.h, as /proc/net/tcp prints it.
_LISTENING = "0A"


@dataclass(frozen=True)
class Iperf3Report:
    """What the receiver got.

    Attributes:
        delivered: bytes, of all flows.
        seconds: from the first to the last.
        retransmits: TCP segments sent again; 0 for UDP.
        lost: UDP datagrams that did not arrive; 0 for TCP.
    """

    delivered: int
    seconds: float
    retransmits: int
    lost: int


def parse_report(text: str) -> Iperf3Report:
    """Read what ``iperf3 --json`` printed.

    Raises:
        CnbenchError: it reports an error, or nothing was delivered.
    """
    try:
        report = json.loads(text)
    except ValueError:
        raise CnbenchError(f"iperf3 did not print JSON but '{text[:100]}'") from None
    if "error" in report:
        raise CnbenchError(f"iperf3: {report['error']}")
    end = report["end"]
    received = end["sum_received"]
    if not received["bytes"]:
        raise CnbenchError("iperf3 delivered nothing")
    return Iperf3Report(
        delivered=int(received["bytes"]),
        seconds=float(received["seconds"]),
        retransmits=int(end["sum_sent"].get("retransmits", 0)),
        lost=int(received.get("lost_packets", 0)),
    )


class Iperf3:
    """An iperf3 client whose server waits. Use ``open_iperf3``.

    Attributes:
        cpus: the processors of the receiver and of the sender; the same where there is only one.
    """

    def __init__(
        self,
        client: End,
        options: list[str],
        cpus: tuple[int, int],
        server: subprocess.Popen[str],
    ) -> None:
        self.cpus = cpus
        self._client = client
        self._argv = ["iperf3", "--json", "--interval", "0", *options]
        self._server = server

    def run(
        self, seconds: int, meanwhile: Callable[[], None] = lambda: time.sleep(_ASK_AGAIN)
    ) -> Iperf3Report:
        """Stream for ``seconds``, calling ``meanwhile`` again and again until it has ended.

        Raises:
            CommandError: the client or the server failed.
        """
        give_up = time.monotonic() + seconds + _PATIENCE
        while True:
            check_alive(["iperf3", "--server"], self._server)
            said = self._attempt(seconds, meanwhile, give_up)
            # It still ends the test before this one.
            if _BUSY not in said or time.monotonic() > give_up:
                return parse_report(said)
            time.sleep(0.02)

    def _attempt(self, seconds: int, meanwhile: Callable[[], None], give_up: float) -> str:
        # A file without a name, which no death of ours can leave behind.
        memory = os.memfd_create("cnbench-iperf3")
        with (
            os.fdopen(memory, encoding="utf-8", errors="replace") as said,
            contextlib.ExitStack() as stack,
        ):
            argv = [*self._argv, "--time", str(seconds), "--logfile", f"/proc/self/fd/{memory}"]
            with self._client.namespace.entered():
                client = stack.enter_context(running(argv, pass_fds=[memory]))
            while client.poll() is None:
                if time.monotonic() > give_up:
                    raise CommandError(argv, -1, f"it had not ended {_PATIENCE:.0f} s after that")
                meanwhile()
            return said.read()


@contextlib.contextmanager
def open_iperf3(
    client: End, server: End, *, protocol: str, size: int, flows: int
) -> Iterator[Iperf3]:
    """A server that waits in the namespace of ``server``, and a client for it.

    Sender and receiver are on different processors where there are two: the first of those this
    process may use receives, the last one sends.

    Args:
        client: who sends.
        server: who receives.
        protocol: ``tcp`` or ``udp``; UDP is sent as fast as it goes.
        size: bytes of a write.
        flows: parallel streams.

    Raises:
        UnsupportedError: iperf3 is not installed.
        CnbenchError: the server does not listen.
    """
    allowed = os.sched_getaffinity(0)
    cpus = min(allowed), max(allowed)
    options = ["--client", server.address, "--port", str(_PORT)]
    options += ["--length", str(size), "--parallel", str(flows)]
    options += ["--affinity", f"{cpus[1]},{cpus[0]}"]
    if protocol == "udp":
        options += ["--udp", "--bitrate", "0"]
    else:
        options += ["--congestion", CONGESTION_CONTROL]
    argv = ["iperf3", "--server", "--bind", server.address, "--port", str(_PORT)]
    with contextlib.ExitStack() as stack:
        with server.namespace.entered():
            waiting = stack.enter_context(running(argv))
        _wait_for(server, argv, waiting)
        yield Iperf3(client, options, cpus, waiting)


def _wait_for(server: End, argv: list[str], process: subprocess.Popen[str]) -> None:
    wait_until(
        lambda: _listens(server),
        f"iperf3 did not listen on {server.address}",
        within=_PATIENCE,
        every=0.005,
        meanwhile=lambda: check_alive(argv, process),
    )


def _listens(server: End) -> bool:
    """Whether somebody listens on iperf3's port; connecting to find out would confuse iperf3."""
    with server.namespace.entered():
        table = Path("/proc/thread-self/net/tcp").read_text()
    return any(
        line.split()[1].endswith(f":{_PORT:04X}") and line.split()[3] == _LISTENING
        for line in table.splitlines()[1:]
    )
