"""Connections through cluster IPs, in every mode that this machine's kernel has."""

import socket
from contextlib import closing
from pathlib import Path

import pytest
from conftest import BACKEND, require

from cnbench.proxy import Endpoint, ServiceError, open_proxy, synthetic_services

pytestmark = pytest.mark.real

COMMANDS = {
    "iptables": "iptables-legacy-restore",
    "iptables-nft": "iptables-nft-restore",
    "nftables": "nft",
    "ipvs": "ipset",
}


@pytest.fixture(params=COMMANDS)
def proxy(request, row):
    require(COMMANDS[request.param])
    if request.param == "ipvs" and not Path("/proc/net/ip_vs").exists():
        pytest.skip("this kernel has no IPVS")
    return open_proxy(request.param, row.node)


def services_with_backend(count, index):
    backends = {index: [Endpoint(BACKEND, 8080), Endpoint(BACKEND, 8081)]}
    return synthetic_services(count, 2, backends=backends)


@pytest.mark.parametrize("index", [0, 5, 9])
def test_connections_are_counted_by_the_services_own_chains(proxy, row, index):
    services = services_with_backend(10, index)
    probed, port = services[index], services[index].ports[0]
    proxy.sync(services)
    proxy.watch(probed)
    before = proxy.counters(probed, port)
    with row.listening(8080), row.listening(8081):
        for _ in range(7):
            row.connect(probed.cluster_ip, port.port)
    moved = proxy.counters(probed, port).since(before)
    assert moved.service == 7
    assert sum(moved.endpoints.values()) == 7
    assert set(moved.endpoints) == {f"{BACKEND}:8080", f"{BACKEND}:8081"}


def test_datagrams_are_counted_and_answered(proxy, row):
    backends = {1: [Endpoint(BACKEND, 5353)]}
    services = synthetic_services(3, 1, protocol="udp", port=53, backends=backends)
    probed, port = services[1], services[1].ports[0]
    proxy.sync(services)
    proxy.watch(probed)
    with row.backend.entered():
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((BACKEND, 5353))
    with row.client.entered():
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with closing(server), closing(client):
        client.settimeout(2)
        server.settimeout(2)
        client.sendto(b"question", (probed.cluster_ip, port.port))
        question, sender = server.recvfrom(100)
        server.sendto(b"answer", sender)
        answer, answered_by = client.recvfrom(100)
    assert (question, answer) == (b"question", b"answer")
    assert answered_by == (probed.cluster_ip, 53)
    assert proxy.counters(probed, port).endpoints == {f"{BACKEND}:5353": 1}


def test_other_services_count_nothing(proxy, row):
    services = services_with_backend(3, 1)
    proxy.sync(services)
    for service in services:
        proxy.watch(service)
    with row.listening(8080), row.listening(8081):
        row.connect(services[1].cluster_ip, 80)
    assert proxy.counters(services[0], services[0].ports[0]).service == 0
    assert proxy.counters(services[2], services[2].ports[0]).service == 0


def test_a_service_without_endpoints_refuses(proxy, row):
    proxy.sync(synthetic_services(1, 0))
    with pytest.raises(ConnectionRefusedError):
        row.connect("10.96.1.0", 80)


def test_clearing_leaves_no_rule(proxy, row):
    proxy.sync(services_with_backend(2, 0))
    proxy.clear()
    assert "KUBE" not in row.node.run(["iptables-legacy-save"]).stdout
    assert row.node.run(["nft", "list", "tables"]).stdout.count("kube-proxy") == 0


def test_an_unwatched_nftables_service_is_refused_by_name(row):
    proxy = open_proxy("nftables", row.node)
    services = services_with_backend(1, 0)
    proxy.sync(services)
    with pytest.raises(ServiceError, match=r"service-.*bench/svc-0.*watched first"):
        proxy.counters(services[0], services[0].ports[0])
