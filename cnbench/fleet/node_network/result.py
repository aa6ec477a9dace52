"""What two nodes' accounts add up to: samples, and the proof of them."""

from __future__ import annotations

from collections.abc import Sequence

from cnbench.core.case import Case
from cnbench.core.proof import Check, Proof, equal
from cnbench.core.run import CaseResult, ExperimentRecord, Sample
from cnbench.experiments.pod_network import EXPERIMENT as POD_NETWORK
from cnbench.fleet.node_network import NAME
from cnbench.fleet.node_network.accounts import (
    PROOF_BYTES,
    SECONDS_EACH,
    SIZE,
    Account,
    Order,
    Session,
)

# A stream ends with the write that was begun, and at a tick of iperf3's timer.
_TIMER = 0.05
_METRICS = (
    *("throughput", "cpu_cost", "cpu_sending", "cpu_receiving"),
    *("packets", "packet_size", "retransmitted", "dropped"),
)

RECORD = ExperimentRecord(
    question="What does traffic between two nodes cost, over the network that they have?",
    variant="server",
    # The same words for the same things as where there are pods.
    metrics=tuple(POD_NETWORK.metric(name) for name in _METRICS),
    parameters={
        **dict.fromkeys(("client", "server", "interface", "server_interface", "traffic"), ""),
        "size": "B",
        "rate": "B/s",
    },
    caveat=(
        "A real network, which others may use as well: what an interface counted meanwhile is all"
        " that passed there. No more was sent than `rate`, so a throughput near it is the bound's."
    ),
)


def case_of(order: Order) -> Case:
    """What is measured, as a point of this experiment."""
    client, server = order.client, order.server
    return Case(
        NAME,
        {
            "client": client.node,
            "server": server.node,
            "interface": client.interface,
            "server_interface": server.interface,
            "traffic": "tcp-stream",
            "size": SIZE,
            "rate": order.rate,
        },
    )


def result_of(order: Order, client: Account, server: Account) -> CaseResult:
    """The case with its samples, whose proof decides whether it is any good."""
    case = case_of(order)
    proof = proof_of(order, client, server)
    if not proof.holds:
        broken = proof.broken[0]
        return CaseResult(
            case,
            0,
            "failed",
            f"{broken.claim}: expected {broken.expected}, observed {broken.observed}",
            proof=proof,
            fingerprint=order.client.fingerprint.digest,
        )
    pairs = zip(client.sessions, server.sessions, strict=True)
    return CaseResult(
        case,
        0,
        "ok",
        samples=[
            Sample(n, 0, _values(order, sent, received), sent.began, sent.seconds, setup=0)
            for n, (sent, received) in enumerate(pairs)
        ],
        proof=proof,
        stopped=f"{order.samples * SECONDS_EACH} s of sending were asked for",
        fingerprint=order.client.fingerprint.digest,
    )


def _values(order: Order, sent: Session, received: Session) -> dict[str, float]:
    delivered, frames = received.nbytes, received.link.packets
    values = {
        "throughput": delivered / received.seconds,
        "packets": frames / (delivered / SIZE),
        "packet_size": received.link.bytes / frames,
        "retransmitted": sent.retransmitted / frames,
        "dropped": received.link.dropped / frames,
    }
    if order.one_machine:
        # One account has the work of both; the client's begins when the server waits already.
        return values | {"cpu_cost": sent.busy / delivered}
    return values | {
        "cpu_cost": (sent.busy + received.busy) / delivered,
        "cpu_sending": sent.busy / delivered,
        "cpu_receiving": received.busy / delivered,
    }


def proof_of(order: Order, client: Account, server: Account) -> Proof:
    """That both ends tell of the same, that it went where it was to go, and within its bounds."""
    sent, received = (*client.sessions, client.proof), (*server.sessions, server.proof)
    return Proof(
        (
            *_checks_of_ends(order, sent, received),
            *_checks_of_interfaces(order, sent, received),
            *_checks_of_bounds(order, sent),
            *_checks_of_taps(order, client, server),
        )
    )


def _checks_of_ends(
    order: Order, sent: Sequence[Session], received: Sequence[Session]
) -> tuple[Check, ...]:
    one, other = order.client, order.server
    nbytes = _sum(received)
    return (
        equal(
            "sessions that both ends tell of, by iperf3's names for them",
            order.samples + 1,
            len({s.cookie for s in sent} & {s.cookie for s in received}),
        ),
        equal(f"whom {one.node} sent to", [other.address], _peers(sent)),
        equal(f"whom {other.node} received from", [one.address], _peers(received)),
        Check(
            f"bytes that {one.node} sent, by its own count",
            f"at least the {nbytes} that {other.node} received",
            str(_sum(sent)),
            _sum(sent) >= nbytes,
        ),
    )


def _checks_of_interfaces(
    order: Order, sent: Sequence[Session], received: Sequence[Session]
) -> tuple[Check, ...]:
    nbytes = _sum(received)
    return tuple(
        Check(
            f"bytes that {end.interface} of {end.node} {verb} meanwhile",
            f"at least the {nbytes} delivered",
            f"{sum(s.link.bytes for s in sessions)} in {sum(s.link.packets for s in sessions)}"
            " packets",
            sum(s.link.bytes for s in sessions) >= nbytes,
        )
        for end, verb, sessions in (
            (order.client, "sent", sent),
            (order.server, "received", received),
        )
    )


def _checks_of_bounds(order: Order, sent: Sequence[Session]) -> tuple[Check, ...]:
    # A burst is begun while the rate is not reached, and is then sent whole.
    ahead = order.writes_at_once * SIZE
    over = max(session.nbytes - order.rate * session.seconds for session in sent)
    most = order.samples * SECONDS_EACH + PROOF_BYTES / order.rate
    seconds = sum(session.seconds for session in sent)
    return (
        Check(
            f"bytes of any session beyond {order.rate:.0f} B/s",
            f"at most {ahead}, {order.writes_at_once} writes",
            f"{max(over, 0):.0f}",
            over <= ahead,
        ),
        Check(
            "seconds of sending",
            f"at most {most:.2f}, and {_TIMER} a session for its timer",
            f"{seconds:.2f}",
            seconds <= most + _TIMER * len(sent),
        ),
    )


def _checks_of_taps(order: Order, client: Account, server: Account) -> tuple[Check, ...]:
    delivered = server.proof.nbytes
    ends = ((order.client, client.tapped), (order.server, server.tapped))
    checks = [
        Check(
            f"payload from {order.client.address} to {order.server.address}, tapped on"
            f" {end.interface} of {end.node}",
            f"at least the {delivered} B delivered, in plain packets",
            f"{tapped.payload} B, {', '.join(tapped.encapsulations) or 'in none'}",
            tapped.payload >= delivered and list(tapped.encapsulations) == ["plain"],
        )
        for end, tapped in ends
    ]
    passed = sorted({a - b for a in client.tapped.ttls for b in server.tapped.ttls})
    return (
        *checks,
        Check(
            "routers passed, by the TTL",
            "the same number by all packets",
            ", ".join(map(str, passed)) or "no packet was seen",
            len(passed) == 1 and passed[0] >= 0,
        ),
    )


def _sum(sessions: Sequence[Session]) -> int:
    return sum(session.nbytes for session in sessions)


def _peers(sessions: Sequence[Session]) -> list[str]:
    return sorted({session.peer for session in sessions})
