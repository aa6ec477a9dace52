"""service-routing against the kernel: proofs that fail when they should, connections that count."""

from socket import AF_INET

import pytest

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.experiments.registry import experiment_called
from cnbench.lab import commands
from cnbench.lab.clock import Clock
from cnbench.network.conntrack import tracked
from cnbench.network.service_path import CLIENTS, open_service_path
from cnbench.probes.connect import open_connector
from cnbench.probes.datagram import open_asker
from cnbench.probes.first_packet import Address
from cnbench.proxy.iptables import loader
from cnbench.proxy.iptables.counters import read_table

pytestmark = pytest.mark.real
PORT = 8080
PERMANENT = 0x80  # NUD_PERMANENT of linux/neighbour.h
NETWORK = "10.255.0.0/16"
POD = Address("10.255.0.1", PORT)
SERVICE = "conversations counted by the services' own rules"
ENDPOINTS = "conversations counted by the rules of the endpoint that answered"


@pytest.fixture
def open_subject(lab):
    experiment = experiment_called("service-routing")

    def open_one(mode, position="middle", measure="connect", **more):
        point = {"mode": (mode,), "services": (5,), "position": (position,), "probes": (10,),
                 "messages": (10,), "measure": (measure,)}  # fmt: skip
        (params,) = experiment.grid(False, point | {name: (more[name],) for name in more})
        experiment.require(params, lab)
        return experiment.subject(params, lab)

    return open_one


@pytest.fixture(params=["iptables", "nftables"])
def subject(request, open_subject):
    tool = {"iptables": "iptables-legacy", "nftables": "nft"}[request.param]
    if commands.find(tool) is None:
        pytest.skip(f"{tool} is not installed")
    with open_subject(request.param) as opened:
        yield opened


def proven(subject):
    try:
        return subject.proof().holds
    except CnbenchError:
        return False


def broken(subject):
    return [check.claim for check in subject.proof().broken]


def test_connections_through_the_chain_are_proven(subject):
    for _ in range(2):
        assert 0 < subject.sample()["connect"] < 1
    proof = subject.proof()
    assert proof.holds, proof.broken
    observed = {check.claim: check.observed for check in proof.checks}
    assert observed[SERVICE] == "20"
    assert observed[ENDPOINTS] == "20, each by its own"


def test_every_sample_finds_no_connection_tracked(subject):
    subject.first_packets.send(list(subject.way.leads_to), 1)
    assert tracked(subject.way.path.node) > 0
    for _ in range(2):
        subject.sample()
        assert tracked(subject.way.path.node) == 0


def test_nobody_on_the_path_has_to_ask_who_has_an_address(lab):
    with open_service_path(lab, [NETWORK]) as path:
        with open_connector(path.client, path.backend, [PORT], CLIENTS, lab.clock) as connector:
            connector.send([POD], len(CLIENTS))
        for namespace in (path.client, path.node, path.backend):
            with namespace.netlink() as route:
                known = route.get_neighbours(family=AF_INET)
            assert {neighbour["state"] for neighbour in known} == {PERMANENT}


def test_the_slowest_are_told_in_time_alone(lab, open_subject):
    with open_subject("iptables") as subject:
        assert set(subject.sample()) == {"connect", "connect_p99"}
        lab.clock = Clock("instructions")
        assert set(subject.sample()) == {"connect"}


def test_a_connection_that_was_not_sampled_breaks_the_proof(subject):
    subject.sample()
    assert subject.account()
    subject.first_packets.send(list(subject.way.leads_to), 1)
    assert broken(subject) == [SERVICE, ENDPOINTS]


def test_a_connection_between_two_samples_denies_the_whole_block(open_subject):
    with open_subject("iptables", "last") as subject, open_subject("iptables", "random") as other:
        subject.sample()
        other.sample()
        assert subject.account()
        assert other.account()
        subject.sample()
        subject.first_packets.send(list(subject.way.leads_to), 1)
        other.sample()
        assert not other.account()  # which looks at the same table
        assert not subject.account()
        for one in (subject, other):
            one.sample()
            assert one.account()
            (missed, *_) = one.proof().checks
            assert missed.observed == "10 of 30"
            assert not missed.holds


def test_what_one_service_counts_for_another_denies_the_block(open_subject):
    with open_subject("iptables", "first") as first, open_subject("iptables", "last") as last:
        first.sample()
        last.sample()
        (one,), (another,) = first.way._services, last.way._services
        first.way.account.enter({one.key: 1, another.key: -1})  # in the sum all is well
        assert not first.account()
        assert not last.account()


def test_what_one_service_counts_too_much_denies_no_other(open_subject):
    with open_subject("iptables", "first") as first, open_subject("iptables", "last") as last:
        first.sample()
        last.sample()
        first.first_packets.send(list(first.way.leads_to), 1)
        assert not first.account()
        assert last.account()


def test_one_look_at_the_whole_table_a_block_is_enough(open_subject, monkeypatch):
    looks = []

    def look(*arguments):
        looks.append(arguments)
        return read_table(*arguments)

    monkeypatch.setattr(loader, "read_table", look)
    with (
        open_subject("iptables", "random") as random,
        open_subject("iptables", "last") as last,
        open_subject("iptables", "none") as none,
    ):
        for _ in range(3):
            for subject in (random, last, none):
                subject.sample()
            assert all(subject.account() for subject in (random, last, none))
        assert len(looks) == 1 + 3  # and one before the first of them
        assert len(random.way.leads_to) == 5
        for subject in (random, last, none):
            proof = subject.proof()
            assert proof.holds, proof.broken
        assert len(looks) == 1 + 3 + 2


def test_what_no_block_has_accounted_for_the_proof_does(open_subject):
    with open_subject("iptables") as subject:
        subject.sample()
        proof = subject.proof()
        assert proof.holds, proof.broken
        assert proof.checks[0].observed == "0 of 10"
        subject.sample()
        subject.first_packets.send(list(subject.way.leads_to), 1)
        (missed, *_) = subject.proof().checks
        assert missed.observed == "10 of 20"


def test_after_a_new_program_the_table_is_looked_at_anew(open_subject):
    with open_subject("iptables", "last") as subject:
        subject.sample()
        proxy = subject.way._cluster.proxy
        service = subject.way._services[-1]
        proxy.update([service])  # its chains' counters begin at nothing
        subject.first_packets.send(list(subject.way.leads_to), 3)
        assert proxy.passed_before([service]) == 3
        assert proxy.passed([service]) == 3


def test_a_connection_to_another_service_does_not_count(subject):
    subject.sample()
    subject.first_packets.send([Address("10.96.1.0", PORT)], 3)
    assert subject.proof().holds


def test_cases_that_share_services_add_up(open_subject):
    with open_subject("iptables", "last") as last, open_subject("iptables", "random") as random:
        assert last.way.path is random.way.path
        assert set(last.way.leads_to) < set(random.way.leads_to)
        last.sample()
        random.sample()
        assert last.account()
        assert random.account()
        assert last.proof().holds
        assert random.proof().holds


def redirect_to(subject, endpoint, every):
    """Lead one in ``every`` of what is for the subject's target to another endpoint."""
    ((target, _),) = subject.way.leads_to.items()
    iptables_node(subject)(
        "-t", "nat", "-I", "PREROUTING", "-d", target.host, "-p", "tcp",
        "-m", "statistic", "--mode", "nth", "--every", str(every), "--packet", "0",
        "-j", "DNAT", "--to-destination", endpoint,
    )  # fmt: skip


def test_what_misses_its_way_is_discarded_and_counted(open_subject):
    with open_subject("iptables", probes=100) as subject:
        redirect_to(subject, f"10.128.200.1:{PORT}", every=20)
        subject.sample()
        (missed, *_) = subject.proof().checks
        assert missed.observed == "5 of 100"
        assert not missed.holds


def test_a_batch_that_the_counters_deny_is_discarded_as_a_whole(open_subject, monkeypatch):
    with open_subject("nftables") as subject:
        proxy = subject.way._cluster.proxy
        real, fewer = proxy.passed, iter([0, 5])  # as if rules had counted five of ten
        monkeypatch.setattr(proxy, "passed", lambda services: real(services) - next(fewer, 0))
        subject.sample()
        (missed, *_) = subject.proof().checks
        assert missed.observed == "10 of 20"


def test_a_sample_of_which_nothing_took_its_way_is_an_error(open_subject):
    with open_subject("iptables") as subject:
        redirect_to(subject, f"10.128.200.1:{PORT}", every=1)
        with pytest.raises(CnbenchError, match="30 of 30 first packets missed their way"):
            subject.sample()


def test_without_its_rules_a_service_is_not_reached(subject):
    subject.sample()
    tables = {"iptables-legacy": ["-t", "nat", "-F"], "nft": ["flush", "ruleset"]}
    for tool, arguments in tables.items():
        if commands.find(tool):
            subject.way.path.node.run([tool, *arguments])
    with pytest.raises(CnbenchError):
        subject.sample()
    assert not proven(subject)


def iptables_node(subject):
    """What runs iptables on the node; skips where the machine has none."""
    if commands.find("iptables-legacy") is None:
        pytest.skip("iptables-legacy is not installed")
    return lambda *arguments: subject.way.path.node.run(["iptables-legacy", *arguments])


def test_counters_that_were_put_to_zero_break_the_proof(open_subject):
    with open_subject("iptables") as subject:
        iptables = iptables_node(subject)
        subject.sample()
        assert subject.account()
        iptables("-t", "nat", "-Z")
        assert SERVICE in broken(subject)


def test_the_way_past_all_rules_is_answered_at_the_address_dialled(open_subject):
    with open_subject("iptables", "none") as subject:
        subject.sample()
        assert subject.proof().holds


@pytest.mark.parametrize("position", ["last", "none", "bare"])
def test_there_may_be_more_endpoints_than_probes(open_subject, position):
    with open_subject("iptables", position, endpoints=20, services=2) as subject:
        subject.sample()
        proof = subject.proof()
        assert proof.holds, proof.broken


def test_a_detour_on_the_way_past_all_rules_is_seen(open_subject):
    with open_subject("iptables", "none") as subject:
        redirect_to(subject, f"10.128.200.1:{PORT}", every=1)
        with pytest.raises(CnbenchError, match="missed their way"):
            subject.sample()
        assert not subject.proof().holds


def test_a_node_without_rules_tracks_nothing(open_subject):
    with open_subject("iptables", "bare") as subject:
        subject.sample()
        assert subject.proof().holds
        iptables_node(subject)("-A", "FORWARD", "-m", "conntrack", "--ctstate", "NEW")
        subject.sample()
        assert broken(subject) == ["connections that the node tracks"]


def test_a_failed_insertion_into_conntrack_breaks_the_proof(subject, monkeypatch):
    subject.sample()
    before = subject._before
    monkeypatch.setattr(subject, "_before", type(before)(before.insert_failed - 1, 0))
    assert broken(subject) == ["conntrack's failed insertions and drops"]


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_datagrams_through_the_chain_are_proven(open_subject, mode):
    with open_subject(mode, "random", protocol="udp", endpoints=2) as subject:
        assert 0 < subject.sample()["connect"] < 1
        proof = subject.proof()
        assert proof.holds, proof.broken


@pytest.mark.parametrize("measure", ["rtt", "throughput"])
@pytest.mark.parametrize("position", ["last", "none", "bare"])
def test_an_established_connection_is_counted_once(open_subject, measure, position):
    with open_subject("iptables", position, measure) as subject:
        assert subject.sample()[measure] > 0
        proof = subject.proof()
        assert proof.holds, proof.broken
        assert proof.checks[0].observed == ("1" if position == "last" else "0")


def test_rules_that_look_at_every_packet_break_the_proof_of_an_established_connection(open_subject):
    with open_subject("iptables", "last", "rtt") as subject:
        real = subject.way.passed
        more = iter([0, 20])  # once the connection is open, after the messages
        subject.way.passed = lambda: real() + next(more)
        subject.sample()
        assert broken(subject) == ["packets that they counted of the messages"]


@pytest.mark.parametrize("bridge", ["hairpin", "routed"])
def test_a_backend_reaches_itself_masqueraded(open_subject, bridge):
    with open_subject("iptables", "first", "hairpin", bridge=bridge) as subject:
        assert 0 < subject.sample()["hairpin"] < 1
        proof = subject.proof()
        assert proof.holds, proof.broken
        subject.path.node.run(["iptables-legacy", "-t", "nat", "-F", "KUBE-POSTROUTING"])


def test_a_bridge_port_without_hairpin_mode_is_a_reason(open_subject):
    with (
        pytest.raises(UnsupportedError, match="drops what would go back by the port it came from"),
        open_subject("iptables", "first", "hairpin", bridge="plain"),
    ):
        pass


@pytest.mark.parametrize("mode", ["iptables", "iptables-nft"])
def test_rules_added_one_by_one_are_listed(open_subject, mode):
    with open_subject(mode, "first", "append", services=3) as subject:
        values = subject.sample()
        assert values["append_last"] < values["append"]
        assert subject.proof().holds
        subject.node.run([subject.front_end, "-t", "nat", "-D", "KUBE-SERVICES", "1"])
        assert broken(subject) == ["rules listed in KUBE-SERVICES"]


@pytest.mark.parametrize("mode", ["iptables", "iptables-nft", "nftables"])
def test_a_sync_is_measured_beside_the_tool_alone(open_subject, mode):
    with open_subject(mode, "first", "sync", services=3, endpoints=2) as subject:
        for _ in range(2):  # each of the two comes first in turn
            values = subject.sample()
            assert values["overhead"] == pytest.approx(values["sync"] / values["tool"])
        assert subject.proof().holds


def test_an_update_leaves_the_node_as_it_was(open_subject):
    with open_subject("nftables", "first", "update", services=3) as subject:
        values = subject.sample()
        assert min(values[name] for name in ("update", "delete", "endpoint_change")) > 0
        assert subject.proof().holds


@pytest.fixture
def path(lab):
    with open_service_path(lab, [NETWORK]) as opened:
        yield opened


@pytest.fixture(params=[open_connector, open_asker], ids=["tcp", "udp"])
def prober(request, path):
    with request.param(path.client, path.backend, [PORT], CLIENTS, Clock("wall")) as opened:
        yield opened


def test_every_first_packet_has_a_source_of_its_own_and_is_answered(prober):
    batch = prober.send([POD, Address("10.255.9.9", PORT)], 30)
    assert len({reply.seen_from for reply in batch.replies}) == len(batch.replies) == 30
    assert all(reply.answered_by == reply.target for reply in batch.replies)
    assert not any(reply.sent_again for reply in batch.replies)
    assert batch.ports_in_use == 0


def test_a_source_that_is_taken_is_skipped_and_counted(prober, path):
    with path.client.entered(), prober._socket() as other:
        other.bind((CLIENTS[0], 1024))
        batch = prober.send([POD], 3)
    assert batch.ports_in_use == 1
    assert len(batch.replies) == 3


def test_a_first_packet_that_is_lost_is_known_by_its_time(prober, path):
    if commands.find("iptables-legacy") is None:
        pytest.skip("iptables-legacy is not installed")
    path.node.run(
        ["iptables-legacy", "-A", "FORWARD", "-d", NETWORK, "-m", "conntrack", "--ctstate", "NEW",
         "-m", "statistic", "--mode", "nth", "--every", "100", "--packet", "0", "-j", "DROP"]
    )  # fmt: skip
    batch = prober.send([POD], 5)
    assert [reply.sent_again for reply in batch.replies] == [True, False, False, False, False]


def test_a_port_where_nobody_listens_is_one_sentence(prober):
    with pytest.raises(CnbenchError, match=r"^no .* (from|to) .*: Connection refused$"):
        prober.send([Address(POD.host, PORT + 1)], 1)
