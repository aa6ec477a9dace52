"""What is sent between which two nodes, and what each of them counts of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnbench.core.fingerprint import Fingerprint
from cnbench.network.devices.links import LinkCounters

# Of each sample, as pod-network has it.
SECONDS_EACH = 1
# The largest write that one TCP buffer holds, as pod-network has it.
SIZE = 65536
# What iperf3 without a rate writes before it looks at its clock and its sockets again; with one it
# does so at every write, which costs 7 % of a stream over veth.
_MOST_WRITES = 10
# How far a burst may be ahead of its rate, in seconds.
_AHEAD = 0.01
# How much the proof's own pass sends.
PROOF_BYTES = 1 << 20


@dataclass(frozen=True)
class NodeEnd:
    """A node, and where its traffic begins or ends.

    Attributes:
        node: what it is called.
        interface: the one that its user has named.
        address: that interface's first (IPv4).
        machine: the kernel's name for this time that it runs (boot_id): two nodes may share one.
        sends_on: the processor that it would send on.
        receives_on: the processor that it would receive on.
        fingerprint: its environment.
    """

    node: str
    interface: str
    address: str
    machine: str
    sends_on: int
    receives_on: int
    fingerprint: Fingerprint

    @property
    def device(self) -> str:
        """Address and interface as iperf3 takes them: it then uses no other for either."""
        return f"{self.address}%{self.interface}"


@dataclass(frozen=True)
class Order:
    """What the client sends to the server: samples of ``SECONDS_EACH``, and ``PROOF_BYTES`` more.

    Attributes:
        client: who sends.
        server: who receives.
        rate: bytes per second that it is to send at most.
        samples: how many.
    """

    client: NodeEnd
    server: NodeEnd
    rate: float
    samples: int

    @property
    def writes_at_once(self) -> int:
        """How many writes it makes before it looks at how far it is ahead of its rate."""
        return max(1, min(_MOST_WRITES, int(self.rate * _AHEAD / SIZE)))

    @property
    def one_machine(self) -> bool:
        """Whether both nodes are of one machine, whose CPU time is then that of both."""
        return self.client.machine == self.server.machine


@dataclass(frozen=True)
class Session:
    """One session of iperf3, as one end tells of it.

    Attributes:
        cookie: iperf3's name for it, which both ends have.
        peer: the other end's address.
        nbytes: bytes of the stream: sent by a client, received by a server.
        seconds: that the stream took, by this end.
        retransmitted: TCP segments that this end sent again.
        link: what the interface has sent (at a client) or received (at a server) meanwhile.
        busy: seconds of CPU time of this end's machine meanwhile.
        began: seconds since the order was begun.
    """

    cookie: str
    peer: str
    nbytes: int
    seconds: float
    retransmitted: int
    link: LinkCounters
    busy: float
    began: float


@dataclass(frozen=True)
class Tapped:
    """What a tap on the interface has seen of the data from client to server.

    Attributes:
        encapsulations: of the frames, each once.
        payload: bytes in them that an application sent.
        ttls: of their outermost headers, each once.
    """

    encapsulations: Sequence[str]
    payload: int
    ttls: Sequence[int]


@dataclass(frozen=True)
class Account:
    """All that one end tells.

    Attributes:
        sessions: one a sample.
        proof: the session of the proof's own pass.
        tapped: what was seen of that.
    """

    sessions: Sequence[Session]
    proof: Session
    tapped: Tapped
