"""Sessions of iperf3 whose ends are two nodes: one is received, or sent, at a time."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cnbench.core.errors import CnbenchError, CommandError
from cnbench.fleet.node_network.accounts import PROOF_BYTES, SECONDS_EACH, SIZE, Order, Session
from cnbench.lab.processes import running
from cnbench.network.devices.links import LinkCounters
from cnbench.probes.cpu_time import cpu_time
from cnbench.probes.traffic import CONGESTION_CONTROL

PORT = 5201
# How long an end waits for the other, which may have to wait for its machine's turn.
_SECONDS_TO_MEET = 60.0
_SECONDS_TO_END = 30.0
_ASK_AGAIN = 0.02
_IPERF3 = ("iperf3", "--json", "--interval", "0", "--port", str(PORT))

Report = Mapping[str, Any]


class Counting:
    """What an end counts while a session goes on, its interface's traffic by ``link``."""

    def __init__(self, link: Callable[[], LinkCounters]) -> None:
        self._link = link
        self._begun = time.monotonic()

    def over(self, report: Callable[[], Report]) -> tuple[Report, LinkCounters, float, float]:
        """What ``report`` gives, with the interface's traffic, CPU time, and when it began."""
        began = time.monotonic() - self._begun
        link, busy = self._link(), cpu_time().busy
        made = report()
        return made, self._link() - link, cpu_time().busy - busy, began


def receive_once(order: Order, counting: Counting) -> Session:
    """Be the server of one session.

    Raises:
        CnbenchError: nobody came, or the session came to a bad end.
    """
    argv = [*_IPERF3, "--server", "--one-off", "--bind", order.server.device]
    within = _SECONDS_TO_MEET + _seconds(order) + _SECONDS_TO_END
    counted = counting.over(lambda: _report(argv, within))
    return _session(counted, "accepted_connection", "sum_received")


def send_once(order: Order, counting: Counting, *, proof: bool) -> Session:
    """Be the client of one session, at ``order``'s rate; for the proof's pass of so many bytes.

    What was refused before it had sent anything is tried again.

    Raises:
        CnbenchError: nobody listens, or the session came to a bad end.
    """
    client, server = order.client, order.server
    argv = [*_IPERF3, "--client", server.address, "--bind", client.device]
    argv += ["--affinity", f"{client.sends_on},{server.receives_on}"]
    argv += ["--length", str(SIZE), "--congestion", CONGESTION_CONTROL]
    # Of bits, as all of iperf3's rates.
    argv += ["--bitrate", f"{int(order.rate * 8)}/{order.writes_at_once}"]
    argv += ["--bytes", str(PROOF_BYTES)] if proof else ["--time", str(SECONDS_EACH)]
    give_up = time.monotonic() + _SECONDS_TO_MEET
    while True:
        counted = counting.over(lambda: _report(argv, _seconds(order) + _SECONDS_TO_END))
        refused = "error" in counted[0] and not _sum(counted[0], "sum_sent").get("bytes")
        if not refused or time.monotonic() > give_up:
            return _session(counted, "connecting_to", "sum_sent")
        time.sleep(_ASK_AGAIN)


def _seconds(order: Order) -> float:
    """How long a session may take at ``order``'s rate."""
    return max(SECONDS_EACH, PROOF_BYTES / order.rate)


def _session(counted: tuple[Report, LinkCounters, float, float], peer: str, which: str) -> Session:
    report, link, busy, began = counted
    if "error" in report:
        raise CnbenchError(f"iperf3: {report['error']}")
    total = _sum(report, which)
    if not total.get("bytes"):
        raise CnbenchError("iperf3 carried nothing")
    return Session(
        report["start"]["cookie"],
        report["start"][peer]["host"],
        int(total["bytes"]),
        float(total["seconds"]),
        int(total.get("retransmits", 0)),
        link,
        busy,
        began,
    )


def _sum(report: Report, which: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = report.get("end", {}).get(which, {})
    return found


def _report(argv: Sequence[str], within: float) -> Report:
    # A file without a name, which no death of ours can leave behind.
    memory = os.memfd_create("cnbench-iperf3")
    with os.fdopen(memory, encoding="utf-8", errors="replace") as said:
        argv = [*argv, "--logfile", f"/proc/self/fd/{memory}"]
        give_up = time.monotonic() + within
        with running(argv, pass_fds=[memory]) as process:
            while process.poll() is None:
                if time.monotonic() > give_up:
                    raise CommandError(argv, -1, f"it had not ended after {within:.0f} s")
                time.sleep(_ASK_AGAIN)
        text = said.read()
    try:
        report: Report = json.loads(text)
    except ValueError:
        raise CnbenchError(f"iperf3 did not print JSON but '{text[:100]}'") from None
    return report
