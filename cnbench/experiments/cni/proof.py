"""What the kernel says about a pod that was connected, and about one that was taken away."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cnbench.containers.cni import INTERFACE, Attachment
from cnbench.containers.enclave import Enclave
from cnbench.core.proof import Check, Proof, equal
from cnbench.experiments.cni.grid import HOST_LOCAL, LOOPBACK, WIRINGS
from cnbench.experiments.cni.networks import BACKLOG, POD_PORT, RATE, Network
from cnbench.experiments.cni.wiring import Wiring
from cnbench.lab.netns import NetworkNamespace
from cnbench.network.devices import links

# Seconds for an answer that must come, and for one that must not.
_PATIENT, _BRIEF = 5.0, 0.05
Attached = Attachment | Wiring


@dataclass
class Evidence:
    """Collected over samples: by claim, what was seen of each pod while connected, and after.

    Attributes:
        network: the plug-in's.
        enclave: where the pods are.
        during: whether each claim held while a pod was connected.
        after: whether it held still when the pod had been taken away.
    """

    network: Network
    enclave: Enclave
    during: dict[str, set[bool]] = field(default_factory=dict)
    after: dict[str, set[bool]] = field(default_factory=dict)

    def connected(self, pod: NetworkNamespace, attachment: Attached, port: int) -> None:
        """Look at a pod that was added, whose port the node's ``port`` may lead to."""
        with _listening(pod):
            for claim, look in self._looks(pod, attachment, port, _PATIENT):
                self.during.setdefault(claim, set()).add(look())

    def gone(self, pod: NetworkNamespace, attachment: Attached, port: int) -> None:
        """Look for the same once it was deleted."""
        with _listening(pod):
            for claim, look in self._looks(pod, attachment, port, _BRIEF):
                self.after.setdefault(claim, set()).add(look())

    def proof(self) -> Proof:
        """Each claim held of every pod while it was connected, and of none afterwards."""
        checks: list[Check] = []
        for claim, seen in self.during.items():
            checks.append(equal(claim, {True}, seen))
        for claim, seen in self.after.items():
            if claim not in _STAYS:
                checks.append(equal(f"{claim}, after DEL", {False}, seen))
        return Proof(tuple(checks))

    def _looks(
        self, pod: NetworkNamespace, attachment: Attached, port: int, patience: float
    ) -> Iterator[tuple[str, Callable[[], bool]]]:
        """What can be seen of the plug-ins that are timed."""
        address = attachment.address
        node = self.network.gateway
        looks: dict[str, tuple[str, Callable[[], bool]]] = {
            LOOPBACK: ("loopback is up", lambda: _is_up(pod, "lo")),
            "portmap": (
                "the node's port leads to the pod",
                lambda: self._answers(node, port, patience),
            ),
            "bandwidth": ("the pod's devices have the rate", lambda: self._has_rate(attachment)),
            "firewall": ("iptables lets the pod pass", lambda: self._has_rule(address)),
            "tuning": (_TUNED, lambda: pod.sysctl("net.core.somaxconn") == str(BACKLOG)),
        }
        if self.network.plugin not in (LOOPBACK, *WIRINGS):
            lease = self.network.lease(address)
            yield "its address is written down", lease.exists
        if self.network.plugin not in (LOOPBACK, HOST_LOCAL):
            yield (
                f"it has {INTERFACE}, and answers at its address from the node",
                lambda: links.exists(pod, INTERFACE) and self._answers(address, POD_PORT, patience),
            )
        for plugin in self.network.timed:
            if plugin in looks:
                yield looks[plugin]

    def _answers(self, address: str, port: int, patience: float) -> bool:
        with self.enclave.network.entered(), socket.socket() as client:
            client.settimeout(patience)
            try:
                client.connect((address, port))
            except OSError:
                return False
            return True

    def _has_rate(self, attachment: Attached) -> bool:
        """By the disciplines of the pod's devices on the node, one a direction (in bytes)."""
        rows = json.loads(self.enclave.run("tc", "-j", "qdisc", "show").output)
        limited = {
            row["dev"]
            for row in rows
            if row["kind"] == "tbf" and row["options"]["rate"] == RATE // 8
        }
        made = {
            interface["name"]
            for interface in attachment.result["interfaces"]
            if not interface.get("sandbox")
        }
        return made - {self.network.bridge} <= limited

    def _has_rule(self, address: str) -> bool:
        rules = self.enclave.run("iptables", "-S").output
        return f"-d {address}/32" in rules and f"-s {address}/32" in rules


_TUNED = "the pod's sysctl is set"
# A namespace keeps its sysctls until it ends; the plug-in promises to put back devices' alone.
_STAYS = (_TUNED,)


@contextlib.contextmanager
def _listening(pod: NetworkNamespace) -> Iterator[None]:
    with pod.entered():
        server = socket.create_server(("0.0.0.0", POD_PORT))  # noqa: S104  of the pod's namespace
    with server:
        yield


def _is_up(pod: NetworkNamespace, device: str) -> bool:
    with pod.netlink() as route:
        return bool(route.get_links(ifname=device)[0]["flags"] & 1)  # IFF_UP
