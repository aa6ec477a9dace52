"""A pod wired by the kernel's calls alone, as flannel and Calico do it.

They are the calls of this project's own backends (``cnbench.network.pods``), over netlink from
Python; nobody writes down who has which address.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cnbench.containers.enclave import Enclave, PodNamespace
from cnbench.experiments.cni.grid import FLANNEL
from cnbench.experiments.cni.networks import Network
from cnbench.lab.clock import Clock
from cnbench.lab.netns import address, route_via
from cnbench.network.devices import links
from cnbench.network.pods import plug_in, route_to

_MTU = 1500
_numbers = itertools.count(2)


@dataclass
class Wiring:
    """A pod's network, made and taken away as an attachment is.

    Attributes:
        clock: what calls are timed by.
        enclave: the node.
        pod: the pod's namespace.
        network: flannel's or Calico's.
        took: ns that the last call took, by command and wiring.
    """

    clock: Clock
    enclave: Enclave
    pod: PodNamespace
    network: Network
    number: int = field(default_factory=lambda: next(_numbers))
    took: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The pod's address."""
        return f"{self.network.prefix}.{self.number // 256}.{self.number % 256}"

    @property
    def result(self) -> dict[str, Any]:
        """As a plug-in's: the device on the node."""
        return {"interfaces": [{"name": self._end}]}

    @property
    def _end(self) -> str:
        return f"wired{self.number}"

    def add(self) -> None:
        """Connect the pod; raises CnbenchError."""
        wire = self._by_bridge if self.network.plugin == FLANNEL else self._by_route
        self._timed("ADD", wire)

    def delete(self) -> None:
        """Take the pod away; raises CnbenchError."""
        self._timed("DEL", lambda: links.remove(self.enclave.network, self._end))

    def _by_bridge(self) -> None:
        pod = self.pod.network
        plug_in(pod, self.enclave.network, self._end, self.network.bridge, _MTU)
        address(pod, "eth0", f"{self.address}/16")
        route_via(pod, "default", self.network.gateway)

    def _by_route(self) -> None:
        route_to(self.pod.network, self.enclave.network, self._end, self.address, _MTU)

    def _timed(self, command: str, call: Callable[[], None]) -> None:
        began = self.clock.ticks()
        call()
        self.took[command, self.network.plugin] = self.clock.ticks() - began
