"""pod-network as a whole: every traffic gives every metric and a proof, on this kernel."""

import os
import time

import pytest

from cnbench.core.errors import UnsupportedError
from cnbench.experiments.pod_network import EXPERIMENT
from cnbench.experiments.pod_network.processors import CPU_PARTS, Processors
from cnbench.experiments.pod_network.subject import open_subject
from cnbench.lab import commands
from cnbench.lab.waiting import wait_until
from cnbench.network.devices import links
from cnbench.network.devices.steering import receive_on
from cnbench.probes.traffic import TRAFFIC_KINDS

# Of a capture file (draft-ietf-opsawg-pcap).
FILE_HEADER, FRAME_HEADER = 24, 16


def point(**wanted):
    given = {name: (value,) for name, value in wanted.items()}
    given.setdefault("messages", (40,))
    return EXPERIMENT.grid(full=False, given=given)[0]


def measured(netlab, **wanted):
    params = point(**wanted)
    EXPERIMENT.require(params, netlab)
    with open_subject(params, netlab) as subject:
        values = [subject.sample(), subject.sample()][1]
        proof = subject.proof()
    assert set(values) == {metric.name for metric in EXPERIMENT.metrics} - left_out(params)
    for name, value in values.items():
        EXPERIMENT.metric(name).check(value)
    return values, proof


def left_out(params):
    """What its traffic does not pay for, what one thread cannot tell apart, and few percentiles."""
    by_byte = params["traffic"].endswith("stream")
    of_others = {"exchange_cost"} if by_byte else {"cpu_cost", "throughput"}
    parts = {metric.name for metric in CPU_PARTS} | of_others
    of_many = {"latency_p99", "latency_p999"} | of_others
    if params["load"] == "loop":
        return parts if params["messages"] >= 1000 else parts | of_many
    apart = len(os.sched_getaffinity(0)) > 1
    return of_many if apart else of_many | {"cpu_sending", "cpu_receiving"}


def broken(proof):
    return [(check.claim, check.expected, check.observed) for check in proof.broken]


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"traffic": "tcp-rr", "load": "iperf3"}, "iperf3 has no"),
        ({"traffic": "udp-stream", "size": 65536}, "datagram"),
        ({"underlay": "bridge", "hops": 1}, "bridge"),
        ({"backend": "none", "pods": "routed"}, "own way"),
        ({"traffic": "tcp-crr", "flows": 2}, "flows"),
        ({"backend": "vxlan", "routing": "bird"}, "BIRD"),
        ({"backend": "bgp", "routing": "bird", "hops": 1}, "BIRD"),
    ],
)
def test_points_without_sense_say_why(wanted, why):
    params = point(backend="host-gw", traffic="tcp-stream") | wanted
    assert why in EXPERIMENT.nonsense(params)


def test_sizes_fit_the_traffic():
    points = EXPERIMENT.grid(full=True, given={})
    assert {p["size"] for p in points if p["traffic"] == "tcp-rr"} == {1, 1024}
    assert {p["size"] for p in points if p["traffic"] == "udp-stream"} == {1024, 1392}


def test_flows_and_directions_are_for_processes():
    streams = [p for p in EXPERIMENT.grid(full=True, given={}) if p["load"] == "iperf3"]
    assert {(p["flows"], p["direction"]) for p in streams} == {
        (1, "forward"), (1, "reverse"), (4, "forward"), (16, "forward"),
    }  # fmt: skip


@pytest.mark.real
@pytest.mark.parametrize("backend", ["none", "host-gw", "vxlan", "bgp", "macvlan"])
@pytest.mark.parametrize("traffic", TRAFFIC_KINDS)
def test_every_traffic_gives_every_metric_and_is_proven(netlab, traffic, backend):
    _, proof = measured(netlab, traffic=traffic, backend=backend)
    assert broken(proof) == []


@pytest.mark.real
def test_many_messages_have_all_percentiles(netlab):
    values, _ = measured(netlab, traffic="udp-rr", backend="none", messages=1000)
    assert values["latency"] <= values["latency_p99"] <= values["latency_p999"]


@pytest.mark.real
@pytest.mark.parametrize(
    "wanted",
    [
        {"backend": "host-gw"},
        {"backend": "macvlan"},
        {"backend": "vxlan"},
        {"backend": "vxlan", "pods": "routed"},
        {"backend": "vxlan", "underlay": "bridge"},
        {"backend": "vxlan", "hops": 1},
    ],
)
def test_nobody_doubts_an_address_that_samples_pass(netlab, wanted):
    with open_subject(point(traffic="udp-rr", **wanted), netlab) as subject:
        namespaces = subject.totals.path.topology.namespaces
        subject.sample()
        # What was heard of before it was sent to is asked for with the first packet, at the next
        # tick: over long before the 5 s that a kernel left alone would doubt it for.
        wait_until(lambda: not doubted(namespaces), "still asked for", within=2, every=0.1)
        subject.sample()
        assert doubted(namespaces) == []
        known = neighbours(namespaces)
    assert {entry[-1] for entry in known} & {"REACHABLE", "PERMANENT"}


def neighbours(namespaces):
    """Who is reached where: the lines of ``ip neigh`` in words, each after its namespace."""
    return [
        (space.name, *line.split())
        for space in namespaces
        for line in space.run(["ip", "-4", "neigh", "show"]).stdout.splitlines()
    ]


def doubted(namespaces):
    """Those that are being asked for. What nothing was sent to since it was heard of is STALE."""
    asked = {"DELAY", "PROBE", "INCOMPLETE", "FAILED"}
    return [entry for entry in neighbours(namespaces) if entry[-1] in asked]


@pytest.mark.real
@pytest.mark.parametrize(
    "wanted",
    [
        {"offloads": "off"},
        {"direction": "reverse"},
        {"hops": 2},
        {"underlay": "bridge"},
        {"pods": "routed"},
        {"mtu": 9000},
        {"pod_mtu": "equal"},
        {"flows": 4},
        {"size": 100},
        {"traffic": "udp-stream", "size": 5000},
    ],
    ids=str,
)
def test_every_parameter_keeps_the_proof(netlab, wanted):
    _, proof = measured(netlab, **{"backend": "vxlan", "traffic": "tcp-stream", **wanted})
    assert broken(proof) == []


@pytest.mark.real
def test_iperf3_gives_every_metric_and_is_proven(netlab):
    if not commands.find("iperf3"):
        pytest.skip("needs iperf3")
    for traffic in ("tcp-stream", "udp-stream"):
        values, proof = measured(netlab, backend="vxlan", traffic=traffic, load="iperf3")
        assert broken(proof) == []
        whole = values["cpu_user"] + values["cpu_system"] + values["cpu_softirq"]
        assert whole == pytest.approx(values["cpu_cost"])


@pytest.mark.real
def test_each_node_of_a_stream_works_on_its_own_processor(netlab):
    if not commands.find("iperf3") or len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs iperf3 and two processors")
    params = point(backend="host-gw", traffic="tcp-stream", load="iperf3")
    with open_subject(params, netlab) as subject:
        path, (receiving, sending) = subject.totals.path, subject.iperf3.cpus
        subject.sample()
        assert subject.processors.check().holds

        def is_missed_elsewhere():
            """Steering is to the sender alone, so that nothing comes where it is looked for."""
            misplaced = Processors(path, sending, receiving)
            receive_on(path.server.namespace, "eth0", sending)
            time.sleep(0.1)
            return not misplaced.check().holds

        # What was on its way is worked on first; a busy machine takes its time over that.
        wait_until(is_missed_elsewhere, "packets are still handed over", within=10)


@pytest.mark.real
def test_routes_that_bird_announced_carry_the_traffic(netlab):
    if not commands.find("bird"):
        pytest.skip("needs bird")
    _, proof = measured(netlab, backend="bgp", traffic="udp-rr", routing="bird")
    assert broken(proof) == []
    claims = [check.claim for check in proof.checks]
    assert "route of node1, read back" in claims


@pytest.mark.real
def test_what_the_device_counted_in_the_samples_is_held_against_the_headers(netlab):
    with open_subject(point(backend="vxlan", traffic="udp-stream"), netlab) as subject:
        subject.sample()
        proof = subject.proof()
        assert "bytes on the underlay over bytes delivered, in the samples" in {
            check.claim for check in proof.checks if check.holds
        }
        subject.totals.delivered = subject.totals.delivered * 102 // 100
        assert [check.claim for check in subject.proof().broken][-1].endswith("in the samples")


@pytest.mark.real
def test_traffic_that_goes_another_way_is_not_proven(netlab):
    with open_subject(point(backend="vxlan", traffic="tcp-rr"), netlab) as subject:
        subject.sample()
        near, far = subject.totals.path.topology.nodes
        for node, peer in ((near, far), (far, near)):
            route = [peer.pod_network, "via", peer.address, "dev", "eth0"]
            node.namespace.run(["ip", "route", "replace", *route])
        claims = [check.claim for check in subject.proof().broken]
    assert any(claim.startswith("encapsulation") for claim in claims)
    assert any(claim.startswith("route of node1") for claim in claims)
    assert any(claim.startswith("bytes on the underlay") for claim in claims)


@pytest.mark.real
def test_the_first_frames_can_be_kept_as_a_capture(netlab):
    with open_subject(point(backend="vxlan", traffic="tcp-rr"), netlab) as subject:
        subject.proof()
        captured = subject.capture()
    assert len(captured) > FILE_HEADER + 10 * (FRAME_HEADER + 60)


@pytest.mark.real
def test_what_the_kernel_lacks_is_said_once_with_a_remedy(netlab):
    with netlab.network_namespace("trial") as trial:
        if links.exists(trial, "tunl0"):
            pytest.skip("this kernel has IPIP")
    with pytest.raises(UnsupportedError, match="tunl0") as caught:
        EXPERIMENT.require(point(backend="ipip", traffic="tcp-rr"), netlab)
    assert "guest" in caught.value.remedy


@pytest.mark.real
def test_the_host_has_no_device_more_than_before(netlab):
    before = os.listdir("/sys/class/net")  # noqa: PTH208  names are all that is compared
    measured(netlab, backend="vxlan", traffic="udp-rr", hops=1)
    assert sorted(os.listdir("/sys/class/net")) == sorted(before)  # noqa: PTH208
