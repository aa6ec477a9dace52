"""``cnbench services generate``: whose node it is, and what it says of what it passes over."""

import json

import pytest

from cnbench.proxy import MODES

OBJECTS = [
    {
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "clusterIP": "10.96.0.9",
            "clusterIPs": ["10.96.0.9", "fd00::9"],
            "externalTrafficPolicy": "Local",
            "ports": [{"port": 80, "nodePort": 30080}],
        },
    },
    {
        "kind": "EndpointSlice",
        "metadata": {
            "name": "web-x",
            "namespace": "shop",
            "labels": {"kubernetes.io/service-name": "web"},
        },
        "addressType": "IPv4",
        "ports": [{"port": 8080}],
        "endpoints": [
            {"addresses": ["10.244.0.9"], "nodeName": "one"},
            {"addresses": ["10.244.0.10"], "nodeName": "two"},
        ],
    },
]
NODE = (
    *("--node", "one", "--node-address", "192.0.2.1,2001:db8::1", "--zone", "a"),
    *("--pod-cidr", "10.244.0.0/16", "--service-cidr", "10.96.0.0/12"),
)


@pytest.fixture
def generate(cnbench, tmp_path):
    """Calls the command with a file of OBJECTS."""
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(OBJECTS))
    return lambda *arguments: cnbench("services", "generate", "--from", path, *arguments)


@pytest.mark.parametrize("mode", MODES)
def test_a_described_node_has_its_own_endpoints_and_node_ports(generate, mode):
    done = generate("--mode", mode, *NODE)
    assert done.code == 0, done.err
    assert "no endpoint is taken for local" not in done.err
    assert "192.0.2.1" in done.out or mode.startswith("iptables")
    if mode.startswith("iptables"):
        assert "KUBE-SVL-" in done.out
        assert "has no local endpoints" not in done.out


@pytest.mark.parametrize("mode", MODES)
def test_of_an_unknown_node_it_says_what_is_missing(generate, mode):
    done = generate("--mode", mode)
    assert done.code == 0
    assert "say which node this is with --node (one, two)" in done.err
    assert ("--node-address" in done.err) == (mode in ("nftables", "ipvs"))
    assert "--family ipv6" in done.err


def test_options_reach_the_program(generate):
    program = generate(
        *("--mode", "iptables", *NODE, "--masquerade-all", "--nfacct"),
        *("--node-port-addresses", "192.0.2.0/24"),
    ).out
    assert "-d 192.0.2.1 -j KUBE-NODEPORTS" in program
    assert "ct_state_invalid_dropped_pkts" in program
    assert "! -s 10.244.0.0/16" not in program
    assert "10.96.0.0/12" in generate("--mode", "nftables", *NODE).out
    six = generate("--mode", "nftables", "--family", "ipv6", *NODE)
    assert "add table ip6 kube-proxy" in six.out
    assert "nodeport-ips { 2001:db8::1 }" in six.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--node-address", "here"), "--node-address: 'here' is not an IP address"),
        (("--pod-cidr", "10.0.0.0"), "--pod-cidr: '10.0.0.0' is not a range"),
        (("--pod-cidr", "10.0.0.0/8,11.0.0.0/8"), "--pod-cidr names 2 IPv4 ranges"),
        (("--node-port-addresses", "10.0.0.0/99"), "'10.0.0.0/99' is not a range"),
        (("--release", "1.12"), "kube-proxy of release '1.12' is not followed here"),
        (("--release", "1.31", "--nfacct"), "kube-proxy 1.31 counts nothing with it"),
    ],
)
def test_what_is_no_description_is_refused_by_its_option(generate, arguments, message):
    generate("--mode", "iptables", *arguments).failed_in_one_sentence(2, message)
