"""Which host ports are taken on which nodes."""

from __future__ import annotations

from collections.abc import Iterator

from cnbench.scheduler.columns.tally import NodeTally
from cnbench.scheduler.model.attachments import ANY_ADDRESS, HostPort


class HostPorts:
    """A tally for every host port that a placed pod takes.

    Args:
        size: the number of nodes.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        # By protocol and port, then by address.
        self._taken: dict[tuple[str, int], dict[str, NodeTally]] = {}

    def tally(self, port: HostPort) -> NodeTally:
        """Where this port is taken, on this very address."""
        by_address = self._taken.setdefault((port.protocol, port.port), {})
        if port.address not in by_address:
            by_address[port.address] = NodeTally(self._size)
        return by_address[port.address]

    def conflicting(self, port: HostPort) -> Iterator[NodeTally]:
        """The tallies of what a port cannot be taken beside."""
        for address, tally in self._taken.get((port.protocol, port.port), {}).items():
            if tally.total and (address == port.address or ANY_ADDRESS in (address, port.address)):
                yield tally
