"""A network that pods are connected to and taken from."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean

from cnbench.containers import cni
from cnbench.containers.cni import Attachment
from cnbench.containers.enclave import Enclave, PodNamespace, open_enclave
from cnbench.core.errors import UnsupportedError
from cnbench.core.parameter import Point
from cnbench.core.proof import Proof
from cnbench.experiments.cni.grid import (
    CALICO,
    CHAIN,
    CHAINED,
    FLANNEL,
    HOST_LOCAL,
    LOOPBACK,
    WIRINGS,
)
from cnbench.experiments.cni.leaving import await_devices_gone, on_node
from cnbench.experiments.cni.networks import BEYOND, UPLINK, WITHOUT_CHECK, Network
from cnbench.experiments.cni.proof import Attached, Evidence
from cnbench.experiments.cni.wiring import Wiring
from cnbench.lab import commands
from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace, address
from cnbench.lab.refusal import asked_once
from cnbench.network.devices import links

# Where the address is that pods of Calico's have for a gateway: elsewhere, as a default route says.
_LINK_LOCAL = "169.254.0.0/16"
_COMMANDS = {"add": "ADD", "check": "CHECK", "del": "DEL"}


@dataclass
class Connecting:
    """Pods are connected, checked and taken away a sample.

    Attributes:
        parallel: how many at once.
        others: pods that are on the network all the time.
    """

    lab: Lab
    enclave: Enclave
    network: Network
    evidence: Evidence
    parallel: int = field(default=1)
    others: int = field(default=0)

    def sample(self) -> Mapping[str, float]:
        """The time of each command, of the plug-ins that are asked about, and what pods leave."""
        with contextlib.ExitStack() as stack:
            pods = [stack.enter_context(self.enclave.pod_namespace()) for _ in range(self.parallel)]
            attached = [self._to_attach(pod, number) for number, pod in enumerate(pods)]
            self._add(attached)
            for number, (pod, one) in enumerate(zip(pods, attached, strict=True)):
                self.evidence.connected(pod.network, one, self.port + number)
            commands = ["ADD", *self._check(attached), "DEL"]
            self._delete(attached)
            for number, (pod, one) in enumerate(zip(pods, attached, strict=True)):
                self.evidence.gone(pod.network, one, self.port + number)
        values = {
            metric: self.lab.clock.units(mean(self._took(one, command) for one in attached))
            for metric, command in _COMMANDS.items()
            if command in commands
        }
        return values | self._leave()

    @property
    def port(self) -> int:
        """The node's port that leads to the first pod of a sample."""
        return self.network.first_port + self.others

    def attach(self, pod: PodNamespace) -> Attached:
        """Connect ``pod``."""
        attached = self._to_attach(pod)
        attached.add()
        return attached

    def _to_attach(self, pod: PodNamespace, number: int = 0) -> Attached:
        if self.network.plugin in WIRINGS:
            return Wiring(self.lab.clock, self.enclave, pod, self.network)
        plugins = self.network.plugins(self.port + number)
        return Attachment(self.enclave, pod.name, pod.path, self.network.name, plugins)

    def _add(self, attached: Sequence[Attached]) -> None:
        several = [one for one in attached if isinstance(one, Attachment)]
        if len(several) > 1:
            return cni.add_together(several)
        return attached[0].add()

    def _delete(self, attached: Sequence[Attached]) -> None:
        several = [one for one in attached if isinstance(one, Attachment)]
        if len(several) > 1:
            return cni.delete_together(several)
        return attached[0].delete()

    def _check(self, attached: Sequence[Attached]) -> tuple[str, ...]:
        """Have what is connected looked at, where that is done: by which command."""
        (one, *others) = attached
        without = set(WITHOUT_CHECK) & set(self.network.timed)
        if others or without or not isinstance(one, Attachment):
            return ()
        one.check()
        return ("CHECK",)

    def _leave(self) -> dict[str, float]:
        """Connect a pod that ends without DEL, which comes when its namespace is gone."""
        if self.parallel > 1:
            return {}
        before = on_node(self.enclave, self.network)
        with self.enclave.pod_namespace() as pod:
            attached = self.attach(pod)
        await_devices_gone(self.enclave, attached)
        left = on_node(self.enclave, self.network) - before
        if isinstance(attached, Attachment):
            attached.namespace = ""
            attached.delete()
        kept = on_node(self.enclave, self.network) - before
        return {"left": len(left), "kept": len(kept)}

    def _took(self, attached: Attached, command: str) -> int:
        return sum(attached.took[command, plugin] for plugin in self.network.timed)

    def proof(self) -> Proof:
        """What was seen of the pods."""
        return self.evidence.proof()


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[Connecting]:
    """The plug-in of a point, with as many pods on its network as it asks for."""
    enclave = lab.fixture("enclave", lambda: open_enclave(lab))
    lab.fixture("uplink", lambda: _uplink(enclave.network))
    network = Network(params.text("plugin"), enclave.folder / "addresses")
    evidence = Evidence(network, enclave)
    connecting = Connecting(lab, enclave, network, evidence, params.whole("parallel"))
    if network.plugin == FLANNEL:
        lab.fixture("flannel's node", lambda: _bridging(enclave.network, network))
    if network.plugin == CALICO:
        lab.fixture("calico's node", lambda: _routing(enclave.network, network))
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


@contextlib.contextmanager
def _bridging(node: NetworkNamespace, network: Network) -> Iterator[None]:
    """The node of pods that are wired as flannel does."""
    links.make(node, network.bridge, "bridge")
    address(node, network.bridge, f"{network.gateway}/16")
    yield


@contextlib.contextmanager
def _routing(node: NetworkNamespace, network: Network) -> Iterator[None]:
    """The node of pods that are wired as Calico does: it answers ARP for what it would forward."""
    node.sysctl("net.ipv4.ip_forward", 1)
    address(node, "lo", f"{network.gateway}/32")
    with links.link(node, UPLINK) as (route, index):
        route.route("add", dst=_LINK_LOCAL, oif=index, scope="link")
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
    if plugin in WIRINGS:
        return
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
