"""A service path over IPv6: nobody asks for anything, and a guest's other namespaces have none."""

import pytest

from cnbench.network.ipv6 import enable_ipv6
from cnbench.network.service_addresses import IPV4, IPV6
from cnbench.network.service_path import open_service_path
from cnbench.probes.connect import open_connector
from cnbench.probes.datagram import open_asker
from cnbench.probes.first_packet import Address

pytestmark = pytest.mark.real
PERMANENT = 0x80  # NUD_PERMANENT of linux/neighbour.h
AF_INET6 = 10
PODS, POD = "fd00:10:128:1::/64", Address("fd00:10:128:1::7", 8080)


@pytest.mark.parametrize("begin", [open_connector, open_asker])
def test_nobody_on_the_path_has_to_ask_nor_makes_an_address_of_its_own(lab, begin):
    with open_service_path(lab, ["10.255.0.0/16", PODS], [IPV4, IPV6]) as path:
        with begin(path.client, path.backend, [9, POD.port], IPV6.clients, lab.clock) as opened:
            replies = opened.send([POD], len(IPV6.clients)).replies
        assert {reply.answered_by for reply in replies} == {POD}
        assert [reply.seen_from.host for reply in replies] == IPV6.clients
        for namespace in (path.client, path.node, path.backend):
            with namespace.netlink() as route:
                known = route.get_neighbours(family=AF_INET6)
                held = {a.get_attr("IFA_ADDRESS") for a in route.get_addr(family=AF_INET6)}
            assert {n["state"] for n in known if not _multicast(n)} == {PERMANENT}
            assert not [address for address in held if address.startswith("fe80")]


def _multicast(neighbour):
    return neighbour.get_attr("NDA_DST").startswith("ff")


def test_only_who_asks_for_ipv6_is_changed(lab):
    with lab.network_namespace("one") as one, lab.network_namespace("other") as other:
        before = other.sysctl("net.ipv6.conf.default.disable_ipv6")
        enable_ipv6(one)
        assert one.sysctl("net.ipv6.conf.default.disable_ipv6") == "0"
        assert one.sysctl("net.ipv6.conf.default.addr_gen_mode") == "1"
        assert other.sysctl("net.ipv6.conf.default.disable_ipv6") == before
