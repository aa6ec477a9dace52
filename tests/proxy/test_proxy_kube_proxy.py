"""Programs against what kube-proxy itself wrote for the same objects on the same node."""

import pytest
from kube_proxy_cases import RELEASE, Names, cases, iptables, ipvs, nftables

from cnbench.proxy import Node, ServiceError, generate
from cnbench.proxy.ipvs import program as ipvs_program
from cnbench.proxy.ipvs import rules as ipvs_rules
from cnbench.proxy.node import parse_release
from cnbench.proxy.objects.manifest import read_services

CASES = {case["id"]: case for case in cases()}
# Where kube-proxy 1.30.5 passes over an object, or lets it have what is another's already, the
# whole file is refused here, by the object's name: it is a mistake of somebody's.
REFUSED = {
    "special-slice-port-0": r"service t/web:http, endpoint 10\.1\.0\.9: port 0",
    "special-two-services-same-external-ip-and-port": r"t/b:http: 192\.0\.2\.9:80/tcp is already",
}


def agreeing(mode):
    return [name for name in CASES if name not in REFUSED and mode in CASES[name]]


def node_of(case):
    described = case["node"]
    return Node(
        name=described["name"],
        address=described["ips"][0],
        more_addresses=tuple(described["ips"][1:]),
        zone=described["zone"],
        pod_cidr=described["pod_cidr"],
        node_port_addresses=tuple(described["node_port_addresses"]),
        masquerade_all=described["masquerade_all"],
        release=parse_release(RELEASE),
    )


def services_of(case, mode):
    return read_services(case["objects"], mode=mode, node=node_of(case), source=case["id"]).services


@pytest.mark.parametrize("name", agreeing("iptables"))
def test_iptables_mode_is_kube_proxys(name):
    case = CASES[name]
    program = generate("iptables", services_of(case, "iptables"), node_of(case))
    assert iptables(program, Names(case["objects"])) == case["iptables"]


@pytest.mark.parametrize("name", agreeing("nftables"))
def test_nftables_mode_is_kube_proxys(name):
    case = CASES[name]
    program = generate("nftables", services_of(case, "nftables"), node_of(case))
    assert nftables(program, Names([])) == case["nftables"]


@pytest.mark.parametrize("name", agreeing("ipvs"))
def test_ipvs_mode_is_kube_proxys(name):
    case, node = CASES[name], node_of(CASES[name])
    planned = ipvs_program.plan(services_of(case, "ipvs"), node)
    servers = {at: f"{at.address}:{at.port}/{at.protocol.upper()}" for at in planned.servers}
    sets = {}
    for entry in planned.entries:
        sets.setdefault(entry.name, []).append(entry.value)
    found = ipvs(
        [
            f"{servers[at]} rr" + (f" -p {server.persistence}" if server.persistence else "")
            for at, server in planned.servers.items()
        ],
        [
            f"{servers[at]} -> {endpoint} w1"
            for at, server in planned.servers.items()
            for endpoint in server.real_servers
        ],
        sets,
        set(ipvs_program.bound_addresses(planned.entries)),
        ipvs_rules.program(set(sets), planned.blocked, node),
    )
    assert found == case["ipvs"]


@pytest.mark.parametrize("mode", ["iptables", "nftables", "ipvs"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_kube_proxy_passes_over_is_refused_by_name(name, mode):
    with pytest.raises(ServiceError, match=REFUSED[name]):
        services_of(CASES[name], mode)


def test_a_case_that_differs_is_found():
    case = CASES["special-external-policy-local-one-local-endpoint"]
    elsewhere = {**case, "node": {**case["node"], "name": "another"}}
    program = generate("iptables", services_of(elsewhere, "iptables"), node_of(elsewhere))
    assert iptables(program, Names(case["objects"])) != case["iptables"]
