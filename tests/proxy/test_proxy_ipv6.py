"""The IPv6 half: what its programs say otherwise, and that the kernel takes them."""

import pytest
from conftest import require

from cnbench.proxy import (
    Endpoint,
    Family,
    Node,
    Service,
    ServicePort,
    TrafficPolicy,
    generate,
    open_proxy,
    synthetic_services,
)
from cnbench.proxy.ipvs import program as ipvs

NODE = Node(
    pod_cidr="fd00:1::/64",
    address="2001:db8::7",
    name="one",
    node_port_addresses=("2001:db8::/64",),
    family=Family.IPV6,
)
EVERY_KIND = Service(
    "shop",
    "web",
    "fd00::9",
    (
        ServicePort(
            80,
            (Endpoint("fd00:1::1", 8080, local=True), Endpoint("fd00:1::2", 8080)),
            "http",
            node_port=30080,
        ),
    ),
    affinity_seconds=600,
    external_ips=("2001:db8::1",),
    load_balancer_ips=("2001:db8::2",),
    source_ranges=("2001:db8:1::/48",),
    external_policy=TrafficPolicy.LOCAL,
    health_check_node_port=31000,
)


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        ("iptables", "must be the last rule in this chain\" -d 2001:db8::7 -j KUBE-NODEPORTS"),
        ("iptables", "-m tcp -p tcp -j DNAT --to-destination [fd00:1::1]:8080"),
        ("iptables", "-s fd00:1::1 -j KUBE-MARK-MASQ"),
        ("nftables", "service-ips { type ipv6_addr . inet_proto . inet_service : verdict"),
        ("nftables", "shop/web/tcp/http__fd00.1..1/8080 meta l4proto tcp dnat to [fd00:1::1]:8080"),
        ("nftables", "ip6 saddr != { 2001:db8:1::/48 } drop"),
        ("nftables", "add element ip6 kube-proxy nodeport-ips { 2001:db8::7 }"),
        ("ipvs", "-A -t [fd00::9]:80 -s rr -p 600"),
        ("ipvs", "create KUBE-6-LOAD-BALANCER-SOURCE-CID hash:ip,port,net family inet6"),
        ("ipvs", "-A KUBE-SERVICES -s ::1/128 -j RETURN"),
        ("ipvs", "net.ipv6.conf.all.forwarding = 1"),
        ("ipvs", "fd00::9/128 dev kube-ipvs0"),
    ],
)  # fmt: skip
def test_what_is_written_otherwise(mode, wanted):
    assert wanted in generate(mode, [EVERY_KIND], NODE)


def test_loopback_has_no_node_ports():
    anywhere = Node(family=Family.IPV6, node_port_addresses=("::/0",))
    program = generate("iptables", [], anywhere)
    assert "--dst-type LOCAL ! -d ::1/128 -j KUBE-NODEPORTS" in program
    assert "KUBE-FIREWALL" not in program
    assert "fib daddr type local ip6 daddr != ::1 " in generate("nftables", [], anywhere)


def test_no_set_has_a_longer_name_than_the_kernel_holds():
    names = [ipvs.set_name(name, Family.IPV6) for name in ipvs.SETS]
    assert max(map(len, names)) == 31
    assert len(set(names)) == len(names)


@pytest.mark.real
@pytest.mark.parametrize("mode", ["iptables", "iptables-nft", "nftables"])
def test_the_kernel_takes_every_kind_and_both_families_at_once(mode, lone_namespace):
    require("nsenter", "unshare", "ip6tables-legacy-restore", "ip6tables-nft-restore", "nft")
    six = open_proxy(mode, lone_namespace, NODE)
    four = open_proxy(mode, lone_namespace, Node(pod_cidr="10.0.0.0/8"))
    services = [EVERY_KIND, *synthetic_services(5, 2, family=Family.IPV6)]
    six.sync(services)
    four.sync(synthetic_services(5, 2))
    six.watch(EVERY_KIND)
    assert six.counters(EVERY_KIND, EVERY_KIND.ports[0]).service == 0
    six.update(deleted=[EVERY_KIND.key])
    six.clear()
    four.update()
    four.clear()
