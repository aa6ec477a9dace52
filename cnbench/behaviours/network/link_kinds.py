"""Which kinds of devices there are for a pod."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour, absent, listed
from cnbench.behaviours.network.quiet import DEVICE, open_quiet_device
from cnbench.lab.host import Lab

_KINDS = ("veth", "netkit", "ipvlan", "macvlan", "wireguard", "geneve", "ipip", "bareudp")
_OPTIONS = {
    "ipvlan": f"link {DEVICE}",
    "macvlan": f"link {DEVICE}",
    "geneve": "id 1 remote 192.0.2.2",
    "ipip": "local 192.0.2.1 remote 192.0.2.2",
    "bareudp": "dstport 6635 ethertype ip",
}


def _made(lab: Lab, kind: str) -> bool:
    before, after = [], _OPTIONS.get(kind, "").split()
    if after[:1] == ["link"]:
        before, after = after, []
    with lab.network_namespace("pod") as pod, open_quiet_device(lab, pod):
        argv = ["ip", "link", "add", *before, "name", "made", "type", kind, *after]
        return pod.run(argv, check=False).returncode == 0


def _probe(lab: Lab, kinds: tuple[str, ...] = _KINDS) -> str:
    return listed(kind for kind in kinds if _made(lab, kind)) or absent("device for a pod")


BEHAVIOUR = Behaviour(
    name="network.link-kinds",
    question="With which kinds of devices can a pod be joined to its node, or nodes to each other?",
    method=f"makes {', '.join(_KINDS)} in a new network namespace",
    matters="a CNI that is set to one of them does not start where it is missing",
    source="drivers/net/netkit.c and its neighbours; the kernel's configuration",
    probe=_probe,
    controls=(partial(_probe, kinds=("cnbench",)), partial(_probe, kinds=("veth",))),
    modules=("veth",),
)
