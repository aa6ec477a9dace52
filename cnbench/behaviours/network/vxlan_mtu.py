"""What MTU a VXLAN device has."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour
from cnbench.behaviours.network.quiet import DEVICE, open_quiet_device
from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace

_BEFORE, _AFTER = 1400, 1300


def _mtu(namespace: NetworkNamespace, device: str) -> int:
    with namespace.netlink() as route:
        return int(route.link("get", ifname=device)[0].get_attr("IFLA_MTU"))


def _probe(lab: Lab, before: int = _BEFORE, after: int = _AFTER) -> str:
    with lab.network_namespace("node") as node, open_quiet_device(lab, node):
        node.run(["ip", "link", "set", DEVICE, "mtu", str(before)])
        vxlan = f"type vxlan id 1 dev {DEVICE} dstport 8472 local 192.0.2.1 nolearning"
        node.run(["ip", "link", "add", "over", *vxlan.split()])
        node.run(["ip", "link", "set", "over", "up"])
        first = _mtu(node, "over")
        node.run(["ip", "link", "set", DEVICE, "mtu", str(after)])
        return f"{first} over {before}; {_mtu(node, 'over')} once that is {after}"


BEHAVIOUR = Behaviour(
    name="network.vxlan-mtu",
    question="What MTU has a VXLAN device, and does it follow that of the device below?",
    method="makes one over a device with an MTU of 1400, and lowers that to 1300",
    matters="where it does not follow, packets between nodes are lost once the network has changed",
    source="drivers/net/vxlan/vxlan_core.c: vxlan_dev_configure, vxlan_config_apply",
    probe=_probe,
    controls=(partial(_probe, before=9000, after=1300),),
    modules=("veth", "vxlan"),
)
