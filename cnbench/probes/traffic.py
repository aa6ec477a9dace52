"""Messages between two pods, one after the other, with both ends in one thread.

Over veth a packet is walked through every namespace within the sender's system call, up to the
receiver's socket; so the receiver's next call finds it there, nothing ever sleeps, no second CPU
takes part, and the time that passes is the CPU time of the whole path, softirq included. What
sleeps in spite of that is counted.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import resource
import socket
import statistics
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from cnbench.core.errors import CnbenchError
from cnbench.lab.clock import Clock
from cnbench.lab.cpus import pinned
from cnbench.lab.netns import NetworkNamespace
from cnbench.probes.cpu_time import CpuTime, cpu_time, run_delay

TRAFFIC = ("tcp-stream", "udp-stream", "tcp-rr", "udp-rr", "tcp-crr")
# The kernel's default. A machine whose own is BBR would pace, so that timers would be measured.
CONGESTION_CONTROL = "cubic"
# A whole message must fit in the sender's buffer: the thread that would make room is busy sending.
_SEND_BUFFER = 1 << 20
_SO_SNDBUFFORCE = 32
_TRIMMED = 20
_GREETING_PATIENCE = 5.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Exchange = Callable[[], None]


@dataclass(frozen=True)
class End:
    """Where traffic begins or ends.

    Attributes:
        namespace: where its socket is.
        address: the socket's own.
        known_as: the address that others reach it by, where that is translated.
    """

    namespace: NetworkNamespace
    address: str
    known_as: str = ""

    @property
    def target(self) -> str:
        """The address to send to."""
        return self.known_as or self.address


@dataclass(frozen=True)
class Batch:
    """Messages that were exchanged.

    Attributes:
        ticks: clock ticks that each message took, answer included where there is one.
        delivered: bytes that arrived, of messages and answers.
        elapsed: seconds on the wall (instructions on that clock) from the first to the last.
        busy: CPU time of all messages, in the same unit; see ``busy_ticks``.
        cpu: what the processor did meanwhile by the kernel's own account, in ticks of 10 ms.
    """

    ticks: list[int]
    delivered: int
    elapsed: float
    busy: float
    cpu: CpuTime


def latencies(ticks: Sequence[int], clock: Clock) -> dict[str, float]:
    """The median, the 99th and the 99.9th percentile (nearest rank), as metrics of a sample."""
    ordered = sorted(ticks)
    return {
        name: clock.units(ordered[math.ceil(share * len(ordered)) - 1])
        for name, share in (("latency", 0.5), ("latency_p99", 0.99), ("latency_p999", 0.999))
    }


def busy_ticks(ticks: list[int], sleeps: int, not_ours: int) -> float:
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
    """A closed loop of messages. Use ``open_loop``."""

    def __init__(
        self,
        exchanges: list[Exchange],
        per_message: int,
        client: NetworkNamespace,
        clock: Clock,
    ) -> None:
        self._exchanges = itertools.cycle(exchanges)
        # New sockets belong where the thread is; going there for each would be measured with it.
        self._client = client
        self._per_message = per_message
        self._clock = clock

    def run(self, messages: int) -> Batch:
        """Exchange ``messages`` messages on one processor.

        Raises:
            CnbenchError: a message was lost.
        """
        ticks = []
        now = self._clock.ticks
        with self._client.entered(), pinned() as cpu:
            cpu_before, delay_before, sleeps_before = cpu_time(cpu), run_delay(), _sleeps()
            began = before = now()
            for exchange in itertools.islice(self._exchanges, messages):
                self._attempt(exchange)
                after = now()
                ticks.append(after - before)
                before = after
            sleeps = _sleeps() - sleeps_before
            delayed = run_delay() - delay_before
            spent = cpu_time(cpu) - cpu_before
        # Both are in seconds of the kernel's clock, which in a guest that counts instructions
        # advances a nanosecond with each.
        not_ours = round(1e9 * (delayed + spent.idle))
        return Batch(
            ticks,
            messages * self._per_message,
            self._clock.units(before - began),
            self._clock.units(busy_ticks(ticks, sleeps, not_ours)),
            spent,
        )

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


@contextlib.contextmanager
def open_loop(
    traffic: str,
    client: End,
    server: End,
    *,
    size: int,
    flows: int,
    clock: Clock,
    patience: float = 5.0,
    first_port: int = 5001,
) -> Iterator[Loop]:
    """A loop of ``traffic`` (one of ``TRAFFIC``) from ``client`` to ``server``.

    Args:
        traffic: a stream's message goes one way; rr answers each with one of the same size; crr
            sets up a TCP connection for each and resets it afterwards.
        client: who begins.
        server: who is sent to.
        size: bytes of a message.
        flows: connections (or socket pairs) that take turns.
        clock: what messages are timed with.
        patience: seconds after which a message counts as lost.
        first_port: the server's; each further flow has the next one.

    Raises:
        CnbenchError: the other end cannot be reached.
    """
    protocol, _, kind = traffic.partition("-")
    answers = kind != "stream"
    with ExitStack() as stack:
        try:
            if kind == "crr":
                exchanges = [_connect_and_ask(stack, server, first_port, size, patience)]
            else:
                join = _tcp_pair if protocol == "tcp" else _udp_pair
                exchange = _ask if answers else _send
                pairs = [join(stack, client, server, first_port + flow) for flow in range(flows)]
                for near, far in pairs:
                    _give_up_after(patience, near, far)
                exchanges = [functools.partial(exchange, *pair, _Message(size)) for pair in pairs]
        except OSError as error:
            raise CnbenchError(
                f"{server.address} cannot be reached from {client.address}: "
                f"{error.strerror or error}"
            ) from error
        yield Loop(exchanges, size * (2 if answers else 1), client.namespace, clock)


def _sleeps() -> int:
    """How often this thread has given its processor up to wait for something."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw


class _Message:
    """What is sent, and where it is received."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.sent = bytes(size)
        self.received = memoryview(bytearray(size))

    def pass_on(self, sender: socket.socket, receiver: socket.socket) -> None:
        sender.sendall(self.sent)
        if receiver.recv_into(self.received, self.size, socket.MSG_WAITALL) != self.size:
            raise CnbenchError("a message arrived in part")


def _send(near: socket.socket, far: socket.socket, message: _Message) -> None:
    message.pass_on(near, far)


def _ask(near: socket.socket, far: socket.socket, message: _Message) -> None:
    message.pass_on(near, far)
    message.pass_on(far, near)


def _connect_and_ask(
    stack: ExitStack, server: End, port: int, size: int, patience: float
) -> Exchange:
    listener = stack.enter_context(_listener(server, port))
    _give_up_after(patience, listener)
    target = (server.target, port)
    message = _Message(size)

    def exchange() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as near:
            # A reset leaves no TIME_WAIT behind, of which there would soon be one a port.
            near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, CONGESTION_CONTROL.encode())
            _give_up_after(patience, near)
            near.connect(target)
            far, _ = listener.accept()
            with far:
                _ask(near, far, message)
                near.close()

    return exchange


def _tcp_pair(
    stack: ExitStack, client: End, server: End, port: int
) -> tuple[socket.socket, socket.socket]:
    with _listener(server, port) as listener:
        with client.namespace.entered():
            near = stack.enter_context(socket.create_connection((server.target, port), timeout=5))
        listener.settimeout(5)
        far = stack.enter_context(listener.accept()[0])
    for end in (near, far):
        end.settimeout(None)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, CONGESTION_CONTROL.encode())
        end.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _SEND_BUFFER)
    return near, far


def _udp_pair(
    stack: ExitStack, client: End, server: End, port: int
) -> tuple[socket.socket, socket.socket]:
    near, far = (_udp_socket(stack, *end) for end in ((client, 0), (server, port)))
    near.connect((server.target, port))
    # Only now does the server know who sends, if an address is translated on the way.
    near.send(b"")
    far.connect(far.recvfrom(0)[1])
    return near, far


def _udp_socket(stack: ExitStack, end: End, port: int) -> socket.socket:
    with end.namespace.entered():
        made = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    made.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _SEND_BUFFER)
    made.bind((end.address, port))
    _give_up_after(_GREETING_PATIENCE, made)
    return made


def _listener(server: End, port: int) -> socket.socket:
    with server.namespace.entered():
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # What is accepted inherits it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, CONGESTION_CONTROL.encode())
    listener.bind((server.address, port))
    listener.listen(16)
    return listener


def _give_up_after(seconds: float, *ends: socket.socket) -> None:
    """Have the kernel keep the time: Python's own timeout costs a system call a message."""
    whole, rest = divmod(round(seconds * 1e6), 1_000_000)
    for end in ends:
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            end.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", whole, rest))
