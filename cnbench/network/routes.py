"""Routes, neighbours and forwarding entries: written over netlink, and read back from it."""

from __future__ import annotations

from dataclasses import dataclass

from cnbench.core.errors import CnbenchError
from cnbench.core.proof import Check, equal
from cnbench.lab.netns import NetworkNamespace
from cnbench.network.devices import links

# linux/rtnetlink.h RTNH_F_ONLINK: take the gateway for a neighbour on the device, whatever the
# routes say. linux/neighbour.h: NUD_PERMANENT, and NTF_SELF for the device's own table.
_ONLINK = 4
_PERMANENT = 0x80
_SELF = 0x02
_AF_BRIDGE = 7
# RTN_LOCAL and RT_TABLE_LOCAL of linux/rtnetlink.h.
_LOCAL = 2
_LOCAL_TABLE = 255


@dataclass(frozen=True)
class Route:
    """A route to a network.

    Attributes:
        network: as ``10.32.1.0/24``.
        gateway: the next hop.
        device: the device it leaves by.
        onlink: the gateway is taken for a neighbour on the device.
    """

    network: str
    gateway: str
    device: str
    onlink: bool = False

    def __str__(self) -> str:
        flag = " onlink" if self.onlink else ""
        return f"{self.network} via {self.gateway} dev {self.device}{flag}"


def add_route(namespace: NetworkNamespace, wanted: Route) -> None:
    """Add ``wanted``, in the place of a route to the same network.

    Raises:
        CnbenchError: the kernel refuses it; the message has the kernel's reason.
    """
    from pyroute2 import NetlinkError

    with links.link(namespace, wanted.device) as (route, index):
        try:
            route.route(
                "replace",
                dst=wanted.network,
                gateway=wanted.gateway,
                oif=index,
                flags=_ONLINK if wanted.onlink else 0,
            )
        except NetlinkError as error:
            raise CnbenchError(f"{namespace.name} refuses the route {wanted}: {error}") from error


def read_route(namespace: NetworkNamespace, network: str) -> Route | None:
    """The route to exactly ``network``, or None."""
    address, _, length = network.partition("/")
    with namespace.netlink() as route:
        devices = {entry["index"]: entry.get_attr("IFLA_IFNAME") for entry in route.get_links()}
        for entry in route.get_routes(family=2):
            if entry.get_attr("RTA_DST") == address and entry["dst_len"] == int(length):
                return Route(
                    network,
                    entry.get_attr("RTA_GATEWAY") or "",
                    devices.get(entry.get_attr("RTA_OIF"), ""),
                    bool(entry["flags"] & _ONLINK),
                )
    return None


def gateway_to(namespace: NetworkNamespace, address: str) -> str:
    """The next hop that the kernel would take to ``address``; empty where that is a neighbour.

    It asks for this one decision, which takes no longer with ten thousand routes.

    Raises:
        CnbenchError: there is no route.
    """
    from pyroute2 import NetlinkError

    with namespace.netlink() as route:
        try:
            found = route.route("get", dst=address)[0]
        except NetlinkError as error:
            raise CnbenchError(f"{namespace.name} has no route to {address}: {error}") from error
    return found.get_attr("RTA_GATEWAY") or ""


def check_route(namespace: NetworkNamespace, wanted: Route) -> Check:
    """``wanted`` beside the route that the kernel has."""
    found = read_route(namespace, wanted.network)
    return equal(f"route of {namespace.name}, read back", str(wanted), str(found))


def add_neighbour(namespace: NetworkNamespace, device: str, address: str, mac: str) -> None:
    """Have ``device`` know for good that ``address`` is at ``mac``."""
    with links.link(namespace, device) as (route, index):
        route.neigh("replace", dst=address, lladdr=mac, ifindex=index, state=_PERMANENT)


def read_neighbours(namespace: NetworkNamespace, device: str) -> dict[str, str]:
    """The permanent neighbours on ``device``: address to MAC."""
    with links.link(namespace, device) as (route, index):
        return {
            entry.get_attr("NDA_DST"): entry.get_attr("NDA_LLADDR")
            for entry in route.get_neighbours(family=2)
            if entry["ifindex"] == index and entry["state"] & _PERMANENT
        }


def add_forwarding(namespace: NetworkNamespace, device: str, mac: str, node: str) -> None:
    """Have the tunnel ``device`` send frames for ``mac`` to the address ``node``."""
    with links.link(namespace, device) as (route, index):
        route.fdb("replace", ifindex=index, lladdr=mac, dst=node, state=_PERMANENT, flags=_SELF)


def read_forwarding(namespace: NetworkNamespace, device: str) -> dict[str, str]:
    """The permanent forwarding entries of a tunnel device: MAC to the node's address."""
    with links.link(namespace, device) as (route, index):
        return {
            entry.get_attr("NDA_LLADDR"): entry.get_attr("NDA_DST")
            for entry in route.get_neighbours(family=_AF_BRIDGE)
            if entry["ifindex"] == index and entry.get_attr("NDA_DST")
        }


def acknowledge_at_once(namespace: NetworkNamespace, peer: str) -> None:
    """Have TCP in ``namespace`` acknowledge whatever comes from ``peer`` as it comes.

    It is a property of the route (``quickack`` of ip-route(8)): the socket option of that name
    holds only until the kernel changes its mind.

    Raises:
        CnbenchError: the kernel did not take it.
    """
    with namespace.netlink() as route:
        found = route.route("get", dst=peer)[0]
        gateway = found.get_attr("RTA_GATEWAY")
        if found["type"] == _LOCAL:
            way: dict[str, object] = {"type": "local", "scope": "host", "table": _LOCAL_TABLE}
        else:
            way = {"gateway": gateway} if gateway else {"scope": "link"}
        route.route(
            "replace",
            dst=f"{peer}/32",
            oif=found.get_attr("RTA_OIF"),
            metrics={"quickack": 1},
            **way,
        )
        metrics = route.route("get", dst=peer)[0].get_attr("RTA_METRICS")
        if metrics is None or metrics.get_attr("RTAX_QUICKACK") != 1:
            raise CnbenchError(f"the route to {peer} in {namespace.name} has no quickack")
