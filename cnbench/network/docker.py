"""A machine with containers in one of Docker's network modes, and another machine outside.

    outside eth0 ---- eth0 host
                           docker0 172.17.0.1 ---- eth0 of each container   (mode bridge)

Names, addresses and rules are those of Docker's bridge driver with its defaults, and a published
port: DNAT in the nat table's DOCKER chain, masquerading of what leaves, a FORWARD chain that drops.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace, address, join, route_via
from cnbench.network.devices import links
from cnbench.network.neighbours import trust_arp
from cnbench.network.underlay import open_quiet_namespace

MODES = ("bridge", "host", "container", "none")
BRIDGE = "docker0"
LOOPBACK = "127.0.0.1"
HOST, OUTSIDE = "192.168.1.11", "192.168.1.20"
_GATEWAY = "172.17.0.1"
PORT = 5001


@dataclass(frozen=True)
class Container:
    """A container: the namespace it is in, and its address there."""

    namespace: NetworkNamespace
    address: str


@dataclass(frozen=True)
class DockerHost:
    """Both machines, and two containers on one of them."""

    outside: NetworkNamespace
    host: NetworkNamespace
    first: Container
    second: Container


@contextlib.contextmanager
def open_docker_host(lab: Lab, mode: str) -> Iterator[DockerHost]:
    """Two containers in ``mode`` (one of ``MODES``), the second with a published port."""
    with (
        open_quiet_namespace(lab, "outside") as outside,
        open_quiet_namespace(lab, "host") as host,
        contextlib.ExitStack() as stack,
    ):
        join(outside, "eth0", host, "eth0")
        address(outside, "eth0", f"{OUTSIDE}/24")
        address(host, "eth0", f"{HOST}/24")
        host.sysctl("net.ipv4.ip_forward", 1)
        links.make(host, BRIDGE, "bridge")
        address(host, BRIDGE, f"{_GATEWAY}/16")

        def container(number: int) -> Container:
            namespace = stack.enter_context(open_quiet_namespace(lab, f"container{number}"))
            return Container(namespace, _plug_in(namespace, host, number))

        if mode == "host":
            first = second = Container(host, LOOPBACK)
        elif mode == "none":
            alone = stack.enter_context(open_quiet_namespace(lab, "container1"))
            first = second = Container(alone, LOOPBACK)
        else:
            # With mode container, the second container is in the namespace of the first.
            first = container(1)
            second = container(2) if mode == "bridge" else first
            host.run(["iptables-restore", "--noflush"], input=rules(second.address, PORT))
        for namespace in {outside, host, first.namespace, second.namespace}:
            trust_arp(namespace)
        yield DockerHost(outside, host, first, second)


def _plug_in(container: NetworkNamespace, host: NetworkNamespace, number: int) -> str:
    own = f"172.17.0.{number + 1}"
    join(container, "eth0", host, f"veth{number}")
    links.enslave(host, f"veth{number}", BRIDGE)
    address(container, "eth0", f"{own}/16")
    route_via(container, "default", _GATEWAY)
    return own


def rules(container: str, port: int) -> str:
    """Docker's rules for a bridge network and one published port, as iptables-restore reads them.

    Facts from moby's libnetwork (drivers/bridge): chains DOCKER, DOCKER-USER and the isolation
    stages; policy DROP on FORWARD.
    """
    dnat = "\n".join(
        f"-A DOCKER ! -i {BRIDGE} -p {protocol} --dport {port} "
        f"-j DNAT --to-destination {container}:{port}"
        for protocol in ("tcp", "udp")
    )
    accept = "\n".join(
        f"-A DOCKER -d {container}/32 ! -i {BRIDGE} -o {BRIDGE} -p {protocol} --dport {port} "
        "-j ACCEPT"
        for protocol in ("tcp", "udp")
    )
    return f"""*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o {BRIDGE} -j MASQUERADE
-A DOCKER -i {BRIDGE} -j RETURN
{dnat}
COMMIT
*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o {BRIDGE} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o {BRIDGE} -j DOCKER
-A FORWARD -i {BRIDGE} ! -o {BRIDGE} -j ACCEPT
-A FORWARD -i {BRIDGE} -o {BRIDGE} -j ACCEPT
{accept}
-A DOCKER-ISOLATION-STAGE-1 -i {BRIDGE} ! -o {BRIDGE} -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o {BRIDGE} -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
"""


def translated(host: NetworkNamespace) -> int:
    """How many connections the published port's DNAT rules have counted."""
    listing = host.run(["iptables", "-t", "nat", "-nvxL", "DOCKER"]).stdout
    return sum(map(int, re.findall(r"^\s*(\d+)\s+\d+\s+DNAT\b", listing, re.M)))
