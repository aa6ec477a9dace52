"""The networks that plug-ins are asked for: their settings, as a conflist has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnbench.experiments.cni.grid import (
    CHAIN,
    CHAINED,
    HOST_LOCAL,
    INTERFACES,
    LOOPBACK,
    MOST_PODS,
    PLUGINS,
)

# What a pod listens on, and the first port of the node that leads to a pod of the first plug-in.
POD_PORT, _FIRST_PORT = 8080, 20000
RATE = 100_000_000  # bits per second
BACKLOG = 321  # no kernel's default of net.core.somaxconn
# CHECK of 1.1.1 asks for the rules of IPv6 as well, wherever there is ip6tables, and a pod that has
# an address of IPv4 alone has none: it always fails.
WITHOUT_CHECK = ("portmap",)
UPLINK, BEYOND = "uplink", "beyond"


@dataclass(frozen=True)
class Network:
    """One plug-in's network in an enclave.

    Attributes:
        plugin: what is timed, of ``grid.PLUGINS``.
        addresses: the folder in which host-local keeps who has which.
    """

    plugin: str
    addresses: Path

    @property
    def name(self) -> str:
        """What it is called, in the folder of addresses too."""
        return f"network-{self.plugin}"

    @property
    def prefix(self) -> str:
        """The first two bytes of its subnet, one for each plug-in."""
        return f"10.{100 + PLUGINS.index(self.plugin)}"

    @property
    def bridge(self) -> str:
        """Its bridge, where it has one."""
        return f"cni-{PLUGINS.index(self.plugin)}"

    @property
    def gateway(self) -> str:
        """The node's address in it, where it has one."""
        return f"{self.prefix}.0.1"

    @property
    def leases(self) -> Path:
        """The folder in which host-local keeps a file for each address that is in use."""
        return self.addresses / self.name

    @property
    def has_rules(self) -> bool:
        """Whether one of its plug-ins makes rules of iptables."""
        return bool({"portmap", "firewall"} & set(self.timed))

    @property
    def first_port(self) -> int:
        """The first of the node's ports that lead to its pods."""
        return _FIRST_PORT + PLUGINS.index(self.plugin) * (MOST_PODS + 1)

    @property
    def timed(self) -> tuple[str, ...]:
        """The plug-ins whose time is the metric."""
        return ("bridge", *CHAINED) if self.plugin == CHAIN else (self.plugin,)

    def plugins(self, port: int) -> list[Mapping[str, Any]]:
        """The settings of each plug-in for a pod that has the node's ``port``, in their order."""
        if self.plugin == LOOPBACK:
            return [{"type": LOOPBACK}]
        if self.plugin == HOST_LOCAL:
            return [{"type": HOST_LOCAL, "ipam": self._ipam()}]
        if self.plugin in INTERFACES:
            return [self._interface(self.plugin)]
        after = CHAINED if self.plugin == CHAIN else (self.plugin,)
        return [self._interface("bridge"), *(_chained(name, port) for name in after)]

    def lease(self, address: str) -> Path:
        """The file in which host-local keeps who has ``address``."""
        return self.leases / address

    def _ipam(self) -> dict[str, Any]:
        return {
            "type": HOST_LOCAL, "dataDir": str(self.addresses),
            "ranges": [[{"subnet": f"{self.prefix}.0.0/16"}]],
        }  # fmt: skip

    def _interface(self, kind: str) -> dict[str, Any]:
        special: dict[str, dict[str, Any]] = {
            "bridge": {"bridge": self.bridge, "isGateway": True},
            "macvlan": {"master": UPLINK},
            "ipvlan": {"master": UPLINK},
        }
        return {"type": kind, "ipam": self._ipam(), **special.get(kind, {})}


def _chained(name: str, port: int) -> dict[str, Any]:
    mapping = {"hostPort": port, "containerPort": POD_PORT, "protocol": "tcp"}
    settings: dict[str, dict[str, Any]] = {
        "portmap": {"runtimeConfig": {"portMappings": [mapping]}},
        "bandwidth": {
            "ingressRate": RATE, "ingressBurst": RATE, "egressRate": RATE, "egressBurst": RATE,
        },
        "firewall": {"backend": "iptables"},
        "tuning": {"sysctl": {"net.core.somaxconn": str(BACKLOG)}},
    }  # fmt: skip
    return {"type": name, **settings[name]}
