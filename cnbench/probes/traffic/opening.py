"""Opening a loop between two ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import ExitStack

from cnbench.core.errors import CnbenchError
from cnbench.lab.clock import Clock
from cnbench.probes.traffic.exchanges import answered, open_exchanges
from cnbench.probes.traffic.loop import Loop
from cnbench.probes.traffic.sockets import End


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
    port: int = 5001,
) -> Iterator[Loop]:
    """A loop of ``traffic`` (one of ``TRAFFIC``) from ``client`` to ``server``.

    Args:
        traffic: what a message is.
        client: who begins.
        server: who is sent to.
        size: bytes of a message.
        flows: connections (or socket pairs) that take turns.
        clock: what messages are timed with.
        patience: seconds after which a message counts as lost.
        port: the server's, of all flows.

    Raises:
        CnbenchError: the other end cannot be reached.
    """
    with ExitStack() as stack:
        try:
            exchanges = open_exchanges(
                stack, traffic, (client, server), port, size=size, flows=flows, patience=patience
            )
        except OSError as error:
            raise CnbenchError(
                f"{server.address} cannot be reached from {client.address}: "
                f"{error.strerror or error}"
            ) from error
        yield Loop(exchanges, size * (2 if answered(traffic) else 1), client.namespace, clock)
