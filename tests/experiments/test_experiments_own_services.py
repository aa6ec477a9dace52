"""service-routing over IPv6 and both families, and of a cluster's own services: proven, or not."""

import pytest
from own_cluster import NODES, objects

from cnbench.core.errors import ServiceError, UsageError
from cnbench.experiments.registry import experiment_called
from cnbench.experiments.service_routing.halves import node_and_size
from cnbench.lab import commands
from cnbench.proxy.objects.own import node_in, pack

OWN = "mine.json@1234"
TOOLS = {"iptables": "iptables-legacy", "iptables-nft": "iptables-nft", "nftables": "nft"}
EXPERIMENT = experiment_called("service-routing")


@pytest.fixture(scope="module")
def packed():
    return pack(objects(24))


@pytest.fixture
def open_subject(lab, packed):
    def open_one(mode, **given):
        if commands.find(TOOLS[mode]) is None:
            pytest.skip(f"{TOOLS[mode]} is not installed")
        given = {"measure": "connect", "services": 5, "probes": 10} | given | {"mode": mode}
        given.setdefault("position", "first")
        (params,) = EXPERIMENT.grid(False, {name: (value,) for name, value in given.items()})
        EXPERIMENT.require(params, lab)
        return EXPERIMENT.subject(params, lab)

    lab.inputs = {OWN: packed}
    return open_one


def claims(subject):
    return [check.claim for check in subject.proof().broken]


@pytest.mark.real
@pytest.mark.parametrize("mode", TOOLS)
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_first_packets_over_ipv6_are_proven_and_one_too_many_is_found(open_subject, mode, protocol):
    with open_subject(mode, family="ipv6", protocol=protocol, position="random") as subject:
        assert 0 < subject.sample()["connect"] < 1
        assert subject.proof().holds, subject.proof().broken
        subject.first_packets.send(list(subject.way.leads_to), 1)
        assert len(claims(subject)) == 2


@pytest.mark.real
@pytest.mark.parametrize("mode", TOOLS)
def test_both_families_of_a_node_are_proven_each_by_its_own(open_subject, mode):
    with open_subject(mode, family="dual", affinity="client-ip") as subject:
        subject.sample()
        assert subject.proof().holds, subject.proof().broken
        six = subject.families["IPv6"]
        six.first_packets.send(list(six.way.leads_to), 1)
        assert len(claims(subject)) == 2
        assert all(claim.startswith("IPv6: ") for claim in claims(subject))


@pytest.mark.real
@pytest.mark.parametrize("mode", TOOLS)
@pytest.mark.parametrize("measure", ["sync", "update"])
@pytest.mark.parametrize("cluster", ["made-up", OWN])
def test_programming_both_families_is_proven_and_a_missing_way_is_found(
    open_subject, mode, measure, cluster
):
    with open_subject(mode, family="dual", measure=measure, cluster=cluster) as subject:
        assert all(value > 0 for name, value in subject.sample().items() if name != "kernel_memory")
        assert subject.proof().holds, subject.proof().broken
        lost = subject.programmers[1]
        lost.proxy.update(deleted=[lost.half.targets[0].service.key])
        if measure == "update":  # a proof of syncing programs everything anew
            assert claims(subject) == ["addresses of IPv6 services that the kernel lists"]


@pytest.mark.real
@pytest.mark.parametrize("mode", TOOLS)
@pytest.mark.parametrize("position", ["first", "last", "random", "none", "bare"])
def test_first_packets_of_own_services_are_proven(open_subject, mode, position):
    with open_subject(mode, cluster=OWN, family="dual", position=position) as subject:
        subject.sample()
        assert subject.proof().holds, subject.proof().broken


@pytest.mark.real
@pytest.mark.parametrize("mode", TOOLS)
def test_the_chosen_service_is_addressed_and_its_policy_kept(open_subject, mode):
    # Its own endpoint on the node alone: internalTrafficPolicy is Local.
    with open_subject(mode, cluster=OWN, service="shop/app-21:http", position="chosen") as subject:
        ((target, behind),) = subject.way.leads_to.items()
        subject.sample()
        assert subject.proof().holds, subject.proof().broken
        assert target.port == 80
        assert {address.port for address in behind} == {8000}
        assert len(behind) == 1


def test_the_node_is_that_of_most_endpoints_unless_one_is_named():
    found = objects(6)
    assert node_in(pack(found)) == ("worker-2", "c")
    assert node_in(pack(found, NODES[1])) == (NODES[1], "b")
    with pytest.raises(ServiceError, match="no endpoint is on a node called 'nowhere'") as raised:
        pack(found, "nowhere")
    assert "worker-0" in raised.value.remedy
    assert node_in(pack([])) == ("", "")


def test_what_follows_from_a_file_is_told(packed):
    told, following = node_and_size(packed, {}, "")
    assert "24 services" in told
    assert following == {"service": ("any",), "services": (24,), "endpoints": (2,)}
    _, six = node_and_size(packed, {"family": ("ipv6",)}, "shop/app-2")
    assert six["services"] == (16,)
    with pytest.raises(UsageError, match="no IPv6 service 'shop/app-1'"):
        node_and_size(packed, {"family": ("dual",)}, "shop/app-1")
    with pytest.raises(UsageError, match="no IPv4 service 'shop/nobody'"):
        node_and_size(packed, {}, "shop/nobody")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"family": "ipv6", "measure": "rtt"}, "rtt is measured over IPv4"),
        ({"service": "shop/web"}, "made-up services are addressed by their position"),
        ({"position": "chosen"}, "made-up services are addressed by their position"),
        ({"cluster": OWN, "measure": "hairpin"}, "of your own services"),
        ({"cluster": OWN, "affinity": "client-ip"}, "say themselves what affinity"),
        ({"cluster": OWN, "service": "a/b", "position": "first"}, "asked for by name"),
        ({"cluster": OWN, "position": "chosen"}, "asked for by name"),
        ({"family": "dual", "probes": 1}, "each family needs a first packet"),
    ],
)
def test_points_that_make_no_sense_say_why(given, reason):
    point = {"services": 5, "measure": "connect"} | given
    with pytest.raises(UsageError, match=reason):
        EXPERIMENT.grid(False, {name: (value,) for name, value in point.items()})


@pytest.mark.parametrize("full", [False, True])
def test_a_service_that_is_chosen_is_measured_itself_and_past_all_rules(full):
    points = EXPERIMENT.grid(
        full,
        {
            "cluster": (OWN,),
            "service": ("shop/app-2",),
            "services": (24,),
            "measure": ("connect", "sync", "update"),
            "mode": ("nftables",),
        },
    )
    found = {(point["measure"], point["position"]) for point in points}
    connects = {("connect", position) for position in ("chosen", "none", "bare")}
    assert found == connects | {("sync", "first"), ("update", "first")}


def test_services_that_are_not_at_hand_are_named(lab):
    (params,) = EXPERIMENT.grid(
        False, {"cluster": (OWN,), "services": (5,), "position": ("first",), "mode": ("nftables",)}
    )
    with (
        pytest.raises(UsageError, match=f"the services of {OWN} are not at hand"),
        EXPERIMENT.subject(params, lab),
    ):
        pass
