"""Backends on the real kernel: pods reach each other, by the way that is claimed."""

import contextlib
import socket

import pytest

from cnbench.core.errors import UnsupportedError, UsageError
from cnbench.network.backend import all_backends, backend_called
from cnbench.network.devices import links
from cnbench.network.devices.ethtool import open_features
from cnbench.network.topology import open_topology

BACKENDS = sorted(all_backends())
UNDERLAYS = [("veth", 0), ("bridge", 0), ("veth", 1), ("veth", 3)]


def test_the_issues_backends_are_there():
    assert {"host-gw", "vxlan", "ipip", "bgp", "none"} <= set(BACKENDS)


def test_an_unknown_backend_is_refused_with_those_there_are():
    with pytest.raises(UsageError) as caught:
        backend_called("carrier-pigeon")
    assert "vxlan" in caught.value.remedy


@pytest.mark.parametrize("name", BACKENDS)
def test_every_backend_says_what_it_does(name):
    backend = backend_called(name)
    assert backend.summary
    assert backend.encapsulation(0).overhead >= 0


@contextlib.contextmanager
def installed(netlab, name, underlay="veth", hops=0, pods="bridge", mtu=1500):
    backend = backend_called(name)
    try:
        backend.require(netlab)
    except UnsupportedError as error:
        pytest.skip(str(error))
    with open_topology(
        netlab,
        underlay=underlay,
        hops=hops,
        mtu=mtu,
        attachment=backend.attachment or pods,
        pod_mtu=mtu - backend.encapsulation(hops).overhead,
    ) as topology:
        backend.install(topology)
        yield backend, topology


def answers(topology, size=32):
    near, far = topology.nodes
    with far.pod.entered():
        server = socket.create_server((far.pod_address, 5001))
    with server:
        with near.pod.entered():
            client = socket.create_connection((far.pod_address, 5001), timeout=5)
        with client, server.accept()[0] as accepted:
            client.sendall(bytes(size))
            received = accepted.recv(size, socket.MSG_WAITALL)
            return accepted.getpeername()[0], len(received)


@pytest.mark.real
@pytest.mark.parametrize(("underlay", "hops"), UNDERLAYS)
@pytest.mark.parametrize("name", [name for name in BACKENDS if name != "host-gw"])
def test_pods_reach_each_other_and_the_configuration_reads_back(netlab, name, underlay, hops):
    with installed(netlab, name, underlay, hops) as (backend, topology):
        assert answers(topology, 20_000) == (topology.nodes[0].pod_address, 20_000)
        checks = backend.checks(topology)
        assert checks
        assert not [check for check in checks if not check.holds]


@pytest.mark.real
@pytest.mark.parametrize("name", ["host-gw", "vxlan", "bgp"])
def test_pods_attached_as_by_calico_reach_each_other(netlab, name):
    with installed(netlab, name, pods="routed") as (_, topology):
        assert answers(topology) == ("10.32.0.2", 32)
        assert topology.nodes[0].pod.sysctl("net.ipv4.ip_forward") == "0"


@pytest.mark.real
@pytest.mark.parametrize("hops", [1, 2])
def test_host_gw_across_routers_says_what_it_requires_and_shows_it(netlab, hops):
    with (
        pytest.raises(UnsupportedError, match="one layer 2") as caught,
        installed(netlab, "host-gw", hops=hops),
    ):
        pass
    assert "unreachable" in str(caught.value)
    assert "10 of 10 packets were dropped" in str(caught.value)
    assert "vxlan" in caught.value.remedy


@pytest.mark.real
def test_the_way_is_not_there_without_the_backend(netlab):
    with (
        open_topology(
            netlab, underlay="veth", hops=0, mtu=1500, attachment="bridge", pod_mtu=1500
        ) as topology,
        pytest.raises(OSError, match=r".*"),
    ):
        answers(topology)


@pytest.mark.real
def test_checks_notice_a_missing_forwarding_entry(netlab):
    with installed(netlab, "vxlan") as (backend, topology):
        near, far = topology.nodes
        mac = links.mac(far.namespace, "flannel.1")
        near.namespace.run(["bridge", "fdb", "del", mac, "dev", "flannel.1"])
        broken = [check.claim for check in backend.checks(topology) if not check.holds]
        assert broken == ["forwarding entries on flannel.1 of node1"]


@pytest.mark.real
def test_offloads_are_switched_off_on_every_device(netlab):
    with installed(netlab, "vxlan", "bridge") as (_, topology):
        assert topology.offloads_on()
        topology.switch_offloads_off()
        assert topology.offloads_on() == []
        assert answers(topology, 20_000)[1] == 20_000


@pytest.mark.real
def test_features_are_switched_one_by_one(netlab):
    with (
        installed(netlab, "vxlan") as (_, topology),
        open_features(topology.nodes[0].namespace) as features,
    ):
        before = features.active("eth0")
        features.switch("eth0", {"tx-generic-segmentation": False})
        assert before - features.active("eth0") == {"tx-generic-segmentation"}
        features.switch("eth0", {"tx-generic-segmentation": True})
        assert features.active("eth0") == before


@pytest.mark.real
def test_mtus_are_what_was_asked_for(netlab):
    with installed(netlab, "vxlan", mtu=9000) as (_, topology):
        near = topology.nodes[0]
        assert links.mtu(near.namespace, "eth0") == 9000
        assert links.mtu(near.namespace, "flannel.1") == 8950
        assert links.mtu(near.pod, "eth0") == 8950
