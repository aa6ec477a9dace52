"""Plain services written many at a time: the same rules as one by one."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cnbench.proxy import Endpoint, Family, Node, Service, ServicePort, TrafficPolicy
from cnbench.proxy.iptables import program as iptables
from cnbench.proxy.iptables.plain_ports import is_plain
from cnbench.proxy.iptables.service_port import PortRules

PLAIN = Service("ns", "svc", "10.96.0.1", (ServicePort(80, (Endpoint("10.0.0.1", 80),)),))

_ports = st.integers(1, 65535)
# A per cent sign and braces mean something to Python's ways of filling a text.
_names = st.text("abc-09%{}", min_size=1, max_size=12)


def _services(family):
    addresses = st.ip_addresses(v=4 if family is Family.IPV4 else 6).map(str)
    endpoint = st.builds(Endpoint, addresses, _ports, near=st.sampled_from([True, True, False]))
    port = st.builds(
        ServicePort,
        _ports,
        st.lists(endpoint, max_size=4, unique_by=str).map(tuple),
        _names | st.just(""),
        st.sampled_from(["tcp", "udp"]),
        st.sampled_from([0, 0, 0, 30001]),
    )
    return st.builds(
        Service,
        _names,
        _names,
        addresses | st.just(""),
        st.lists(port, min_size=1, max_size=3).map(tuple),
        affinity_seconds=st.sampled_from([0, 10800]),
    )


def _node(family):
    ranges = {Family.IPV4: "10.0.0.0/8", Family.IPV6: "fd00::/8"}
    return st.builds(
        Node,
        pod_cidr=st.sampled_from([ranges[family], ""]),
        masquerade_all=st.booleans(),
        family=st.just(family),
    )


_clusters = st.sampled_from(Family).flatmap(
    lambda family: st.tuples(st.lists(_services(family), max_size=8), _node(family))
)


def one_by_one(services, node, changed):
    """The lines between the nat table's first and last rules, port after port."""
    ports = [
        (PortRules(service, port, node, False), changed is None or service.key in changed)
        for service in services
        if not service.headless
        for port in service.ports
    ]
    declared, rules = [], []
    for port, whole in ports:
        if whole:
            declared += port.declarations()
        port.write(rules.append, whole=whole)
    return declared, rules


@given(_clusters, st.booleans())
def test_the_lines_are_those_of_the_ports_one_by_one(cluster, partial):
    services, node = cluster
    changed = {service.key for service in services[::2]} if partial else None
    _, nat = "".join(iptables.chunks(services, node, changed=changed)).split("*nat\n")
    lines = nat.splitlines()
    declared, rules = one_by_one(services, node, changed)
    first = len(iptables.NAT_CHAINS)
    assert lines[first : first + len(declared)] == declared
    masquerading = 4
    after = first + len(declared) + masquerading
    assert lines[after:-2] == rules


def test_what_makes_a_service_special():
    (port,) = PLAIN.ports
    gone = Endpoint("10.0.0.1", 80, ready=False, serving=True, terminating=True)
    far = Endpoint("10.0.0.2", 80, near=False)
    special = (
        {"cluster_ip": ""},
        {"external_ips": ("192.0.2.1",)},
        {"load_balancer_ips": ("192.0.2.1",)},
        {"health_check_node_port": 30000},
        {"internal_policy": TrafficPolicy.LOCAL},
        {"ports": (replace(port, node_port=30001),)},
        {"ports": (port, replace(port, endpoints=()))},
        {"ports": (replace(port, endpoints=(*port.endpoints, gone)),)},
        {"ports": (replace(port, endpoints=(*port.endpoints, far)),)},
    )
    assert is_plain(PLAIN)
    assert not any(is_plain(replace(PLAIN, **change)) for change in special)


def test_from_empty_the_built_in_chains_lead_to_the_services():
    program = iptables.program([PLAIN], Node(), from_empty=True)
    jumps = [line for line in program.splitlines() if line.startswith("-I")]
    assert [line for line in jumps if "KUBE-SERVICES" in line]
    assert [line for line in program.splitlines() if not line.startswith("-I")] == (
        iptables.program([PLAIN], Node()).splitlines()
    )


@given(_clusters)
def test_named_beforehand_the_program_is_the_same(cluster):
    services, node = cluster
    named = iptables.named(services, node)
    assert "".join(iptables.chunks(services, node, named=named)) == (
        iptables.program(services, node)
    )
