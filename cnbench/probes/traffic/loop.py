"""The closed loop itself, and what its batches are counted to cost."""

from __future__ import annotations

import itertools
import resource
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from cnbench.core.errors import CnbenchError
from cnbench.lab.clock import Clock
from cnbench.lab.cpus import pinned
from cnbench.lab.netns import NetworkNamespace
from cnbench.probes.cpu_time import CpuTime, cpu_time, run_delay
from cnbench.probes.traffic.exchanges import Exchange

_TRIMMED = 20


@dataclass(frozen=True)
class Exchanged:
    """Messages that were exchanged.

    Attributes:
        ticks: clock ticks that each message took, answer included where there is one.
        delivered: bytes that arrived, of messages and answers.
        elapsed: seconds on the wall (instructions on that clock) from the first to the last.
        busy: CPU time of all messages, in the same unit; see ``busy_ticks``.
        cpu: what the processor did meanwhile by the kernel's own account, in ticks of 10 ms.
        processor: the one that did everything.
    """

    ticks: list[int]
    delivered: int
    elapsed: float
    busy: float
    cpu: CpuTime
    processor: int


def busy_ticks(ticks: Sequence[int], sleeps: int, not_ours: int) -> float:
    """The CPU time of a batch of messages, in clock ticks.

    Where nothing slept, a message's time is its CPU time, but for what other processes and timers
    did to a few: so the mean without the fastest and the slowest twentieth stands for all. Where
    more slept than that leaves out, it is the whole time less what was not ours.

    Args:
        ticks: that each message took.
        sleeps: how often the thread waited for something.
        not_ours: ticks in which the processor was idle or another's.
    """
    trimmed = len(ticks) // _TRIMMED
    if sleeps > trimmed:
        return max(float(sum(ticks) - not_ours), 1.0)
    middle = sorted(ticks)[trimmed : len(ticks) - trimmed]
    return len(ticks) * statistics.fmean(middle)


class Loop:
    """A closed loop of messages over open connections. Use ``Traffic.connected``."""

    def __init__(
        self,
        exchanges: Sequence[Exchange],
        per_message: int,
        client: NetworkNamespace,
        clock: Clock,
    ) -> None:
        self._exchanges = itertools.cycle(exchanges)
        # New sockets belong where the thread is; going there for each would be measured with it.
        self._client = client
        self._per_message = per_message
        self._clock = clock

    def run(self, messages: int) -> Exchanged:
        """Exchange ``messages`` messages on one processor.

        Raises:
            CnbenchError: a message was lost.
        """
        with self._client.entered(), pinned() as cpu:
            cpu_before, delay_before, sleeps_before = cpu_time(cpu), run_delay(), _sleeps()
            took, ticks = self._clock.timed(lambda: self._exchange(messages))
            sleeps = _sleeps() - sleeps_before
            delayed = run_delay() - delay_before
            spent = cpu_time(cpu) - cpu_before
        if self._clock.counts_waiting:
            not_ours = round(1e9 * (delayed + spent.idle))
        else:
            # In its guest nobody else is, so what delayed the thread was the kernel's own work for
            # it (WireGuard's workers); and all waiting is left out of what it took.
            not_ours = sum(ticks) - took
        return Exchanged(
            ticks,
            messages * self._per_message,
            self._clock.units(sum(ticks)),
            self._clock.units(busy_ticks(ticks, sleeps, not_ours)),
            spent,
            cpu,
        )

    def _exchange(self, messages: int) -> list[int]:
        """Exchange them; the ticks that each took, from the end of the one before it."""
        ticks = []
        now = self._clock.ticks
        before = now()
        for exchange in itertools.islice(self._exchanges, messages):
            self._attempt(exchange)
            after = now()
            ticks.append(after - before)
            before = after
        return ticks

    def warm_up(self, messages: int) -> None:
        """Exchange ``messages`` messages that nobody times.

        Raises:
            CnbenchError: one was lost.
        """
        with self._client.entered():
            for exchange in itertools.islice(self._exchanges, messages):
                self._attempt(exchange)

    def once(self) -> int:
        """Exchange one message, wherever the thread runs; clock ticks that it took.

        Raises:
            CnbenchError: it was lost.
        """
        with self._client.entered():
            before = self._clock.ticks()
            self._attempt(next(self._exchanges))
            return self._clock.ticks() - before

    @staticmethod
    def _attempt(exchange: Exchange) -> None:
        try:
            exchange()
        except OSError as error:
            raise CnbenchError(f"a message did not get through: {error.strerror}") from error


def _sleeps() -> int:
    """How often this thread has given its processor up to wait for something."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
