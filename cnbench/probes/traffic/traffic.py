"""Traffic between two ends, over new connections for each sample."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from cnbench.core.errors import CnbenchError
from cnbench.lab.clock import Clock
from cnbench.probes.traffic.exchanges import answered, open_exchanges
from cnbench.probes.traffic.loop import Loop
from cnbench.probes.traffic.sockets import End

# A new connection's first messages cost more, while its congestion window and its buffers grow:
# 64 KiB cut to an MTU of 1450 took twice as long at first, and what they always take after 30.
_WARM_UP = 50


@dataclass(frozen=True)
class Traffic:
    """What is sent, and between whom.

    Each sample belongs on connections of its own. Where the kernel happens to put a connection's
    structures decides how well they fit the processor's caches, for as long as it lives: between
    six set-ups of one thing, sampled in turns over the connections they were opened with, the
    medians of the first half of the samples foretold those of the second (correlation 0.99; 0.7 %
    standard deviation), and no number of samples would have shown that they are the same.

    Attributes:
        kind: what a message is, one of ``TRAFFIC_KINDS``.
        client: who begins.
        server: who is sent to.
        size: bytes of a message.
        flows: connections (or socket pairs) that take turns.
        clock: what messages are timed with.
        patience: seconds after which a message counts as lost.
        port: the server's, of all flows.
    """

    kind: str
    client: End
    server: End
    size: int
    flows: int
    clock: Clock
    patience: float = 5.0
    port: int = 5001

    @contextlib.contextmanager
    def connected(self) -> Iterator[Loop]:
        """A loop over new connections that have carried their first messages.

        Raises:
            CnbenchError: the other end cannot be reached, or one of those messages was lost.
        """
        with ExitStack() as stack:
            try:
                exchanges = open_exchanges(
                    stack,
                    self.kind,
                    (self.client, self.server),
                    self.port,
                    size=self.size,
                    flows=self.flows,
                    patience=self.patience,
                )
            except OSError as error:
                raise CnbenchError(
                    f"{self.server.address} cannot be reached from {self.client.address}: "
                    f"{error.strerror or error}"
                ) from error
            per_message = self.size * (2 if answered(self.kind) else 1)
            loop = Loop(exchanges, per_message, self.client.namespace, self.clock)
            loop.warm_up(_WARM_UP * self.flows)
            yield loop
