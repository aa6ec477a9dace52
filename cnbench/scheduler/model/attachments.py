"""What ties a pod to nodes besides its rules: ports of the node, and volumes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.model import checks
from cnbench.scheduler.model.node_rules import NodeSelectorTerm

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - as Kubernetes writes "any"; nothing is bound to it
PROTOCOLS = ("TCP", "UDP", "SCTP")
_MOST_PORT = 65535


@dataclass(frozen=True, slots=True)
class HostPort:
    """A port of the node that a container takes.

    Attributes:
        port: 1 to 65535.
        protocol: TCP, UDP or SCTP.
        address: the node's address; "" or 0.0.0.0 for all of them.
    """

    port: int
    protocol: str = "TCP"
    address: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "address", self.address or ANY_ADDRESS)

    def check(self, where: str, field: str) -> None:
        """Hold it against the API's rules.

        Raises:
            SchedulerInputError: the port or the protocol is none.
        """
        if type(self.port) is not int or not 1 <= self.port <= _MOST_PORT:
            problem = f"{self.port!r} must be an integer from 1 to {_MOST_PORT}"
            raise SchedulerInputError(where, f"{field}.hostPort", problem)
        checks.one_of(self.protocol, PROTOCOLS, where, f"{field}.protocol")


@dataclass(frozen=True, slots=True)
class ZoneRule:
    """A zone or region label of a volume: nodes must have one of its values."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PodVolume:
    """What one claim of a pod demands of a node.

    Attributes:
        claim: the claim's name.
        required: the terms of its volume's node affinity, ORed; None where it has none.
        zones: its volume's zone and region labels.
        problem: why no node will do as things are (the claim is not there, or not bound), or "".
    """

    claim: str
    required: Iterable[NodeSelectorTerm] | None = None
    zones: Iterable[ZoneRule] = ()
    problem: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "required", checks.listed(self.required))
        object.__setattr__(self, "zones", checks.listed(self.zones))

    def check(self, where: str, field: str) -> None:
        """Hold its terms against the API's rules.

        Raises:
            SchedulerInputError: a term is malformed.
        """
        for number, term in enumerate(self.required or ()):
            checks.instance(term, NodeSelectorTerm, where, f"{field}.nodeAffinity[{number}]")
            term.check(where, f"{field}.nodeAffinity[{number}]")


@dataclass(frozen=True, slots=True)
class Unmodelled:
    """A field of a pod that is not heeded here.

    Attributes:
        field: its path in the Kubernetes object.
        problem: what kube-scheduler does with it that is not done here.
        refused: whether the pod can then not be answered for; otherwise the answer stands, with
            a warning.
    """

    field: str
    problem: str
    refused: bool = True
