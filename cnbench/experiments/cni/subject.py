"""A plug-in that connects one pod after another."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cnbench.containers import cni
from cnbench.containers.cni import Attachment
from cnbench.containers.enclave import Enclave, PodNamespace, open_enclave
from cnbench.core.errors import UnsupportedError
from cnbench.core.parameter import Point
from cnbench.core.proof import Proof
from cnbench.experiments.cni.grid import CHAIN, CHAINED, HOST_LOCAL, LOOPBACK
from cnbench.experiments.cni.networks import BEYOND, UPLINK, WITHOUT_CHECK, Network
from cnbench.experiments.cni.proof import Evidence
from cnbench.lab import commands
from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace, address
from cnbench.lab.refusal import asked_once

_COMMANDS = {"add": "ADD", "check": "CHECK", "del": "DEL"}


@dataclass
class Connecting:
    """A pod is connected, checked and taken away a sample.

    Attributes:
        others: pods that are on the network all the time.
    """

    lab: Lab
    enclave: Enclave
    network: Network
    evidence: Evidence
    others: int = field(default=0)

    def sample(self) -> Mapping[str, float]:
        """The time of each command, of the plug-ins that are asked about."""
        with self.enclave.pod_namespace() as pod:
            attachment = self.attach(pod)
            self.evidence.connected(pod.network, attachment, self.port)
            checked = not set(WITHOUT_CHECK) & set(self.network.timed)
            if checked:
                attachment.check()
            attachment.delete()
            self.evidence.gone(pod.network, attachment, self.port)
        return {
            metric: self.lab.clock.units(self._took(attachment, command))
            for metric, command in _COMMANDS.items()
            if checked or metric != "check"
        }

    @property
    def port(self) -> int:
        """The node's port that leads to the pod of a sample."""
        return self.network.first_port + self.others

    def attach(self, pod: PodNamespace) -> Attachment:
        """Connect ``pod``."""
        attachment = Attachment(
            self.enclave, pod.name, pod.path, self.network.name, self.network.plugins(self.port)
        )
        attachment.add()
        return attachment

    def _took(self, attachment: Attachment, command: str) -> int:
        return sum(attachment.took[command, plugin] for plugin in self.network.timed)

    def proof(self) -> Proof:
        """What was seen of the pods."""
        return self.evidence.proof()


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[Connecting]:
    """The plug-in of a point, with as many pods on its network as it asks for."""
    enclave = lab.fixture("enclave", lambda: open_enclave(lab))
    lab.fixture("uplink", lambda: _uplink(enclave.network))
    network = Network(params.text("plugin"), enclave.folder / "addresses")
    connecting = Connecting(lab, enclave, network, Evidence(network, enclave))
    with contextlib.ExitStack() as stack:
        for _ in range(params.whole("pods")):
            pod = stack.enter_context(enclave.pod_namespace())
            stack.callback(connecting.attach(pod).delete)
            connecting.others += 1
        yield connecting


@contextlib.contextmanager
def _uplink(network: NetworkNamespace) -> Iterator[None]:
    """The device that macvlan and ipvlan build on, and who is beyond it."""
    with network.netlink() as route:
        route.link("add", ifname=UPLINK, kind="veth", peer={"ifname": BEYOND})
        for name in (UPLINK, BEYOND):
            route.link("set", index=route.link_lookup(ifname=name)[0], state="up")
    for plugin in ("macvlan", "ipvlan"):
        address(network, BEYOND, f"{Network(plugin, cni.FOLDER).prefix}.255.1/16")
    yield


def require(params: Point, lab: Lab) -> None:
    """Raise UnsupportedError where the plug-in, or what it needs, is not there."""
    lab.require_namespaces()
    if lab.clock.name != "wall":
        raise UnsupportedError(
            "plug-ins are timed by the enclave's first process, waiting included",
            "measure it on the wall clock: --clock wall",
        )
    plugin = params.text("plugin")
    for name in ("bridge", *CHAINED) if plugin == CHAIN else (plugin,):
        cni.require(name)
    if plugin not in (LOOPBACK, HOST_LOCAL):
        cni.require(HOST_LOCAL)
    if plugin in ("portmap", "firewall", CHAIN):
        commands.require("iptables")
    if plugin in ("macvlan", "ipvlan"):
        _require_device(lab, plugin)


@asked_once
def _require_device(lab: Lab, kind: str) -> None:
    """Make a device of that kind in a namespace made for that."""
    from pyroute2 import NetlinkError

    with lab.network_namespace("trial") as trial, trial.netlink() as route:
        route.link("add", ifname=UPLINK, kind="veth", peer={"ifname": BEYOND})
        below = route.link_lookup(ifname=UPLINK)[0]
        try:
            route.link("add", ifname="trial", kind=kind, link=below)
        except NetlinkError as error:
            raise UnsupportedError(
                f"this kernel has no {kind}: {error}", "use another kernel: --lab guest"
            ) from error
