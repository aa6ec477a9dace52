"""service-routing against the kernel: proofs that fail when they should, connections that count."""

import pytest

from cnbench.core.errors import CnbenchError
from cnbench.experiments.registry import experiment_called
from cnbench.lab import commands
from cnbench.lab.clock import Clock
from cnbench.network.service_path import BACKENDS, CLIENTS, open_service_path
from cnbench.probes.connect import open_connector

pytestmark = pytest.mark.real
PORT = 8080
SERVICE = "connections counted by the service's chain"
ENDPOINTS = "connections counted by its endpoints' chains"


@pytest.fixture
def open_subject(lab):
    experiment = experiment_called("service-routing")

    def open_one(mode, position="middle"):
        point = {"mode": (mode,), "services": (5,), "position": (position,), "probes": (10,),
                 "measure": ("connect",)}  # fmt: skip
        (params,) = experiment.grid(False, point)
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
    assert {check.observed for check in proof.checks} >= {"20", "[]"}


def test_a_connection_that_was_not_sampled_breaks_the_proof(subject):
    subject.sample()
    subject.cluster.connector.connect(subject._target, 1)
    assert broken(subject) == [SERVICE, ENDPOINTS]


def test_a_connection_to_another_service_does_not_count(subject):
    subject.sample()
    other = subject.cluster.services[0]
    assert other is not subject.service
    subject.cluster.connector.connect((other.cluster_ip, other.ports[0].port), 3)
    assert subject.proof().holds


def test_without_its_rules_a_service_is_not_reached(subject):
    subject.sample()
    tables = {"iptables-legacy": ["-t", "nat", "-F"], "nft": ["flush", "ruleset"]}
    for tool, arguments in tables.items():
        if commands.find(tool):
            subject.cluster.path.node.run([tool, *arguments])
    with pytest.raises(CnbenchError):
        subject.sample()
    assert not proven(subject)


def iptables_node(subject):
    """What runs iptables on the node; skips where the machine has none."""
    if commands.find("iptables-legacy") is None:
        pytest.skip("iptables-legacy is not installed")
    return lambda *arguments: subject.cluster.path.node.run(["iptables-legacy", *arguments])


def test_counters_that_were_put_to_zero_break_the_proof(open_subject):
    with open_subject("iptables") as subject:
        iptables = iptables_node(subject)
        subject.sample()
        iptables("-t", "nat", "-Z")
        assert SERVICE in broken(subject)


def test_the_way_past_all_rules_is_answered_at_the_address_dialled(open_subject):
    with open_subject("iptables", "none") as subject:
        subject.sample()
        proof = subject.proof()
        assert proof.holds
        assert proof.checks[0].observed == f"{{'{BACKENDS[1]}:{PORT}'}}"


def test_a_detour_on_the_way_past_all_rules_breaks_the_proof(open_subject):
    with open_subject("iptables", "none") as subject:
        iptables_node(subject)(
            "-t", "nat", "-I", "PREROUTING", "-d", str(BACKENDS[1]), "-p", "tcp",
            "-j", "DNAT", "--to-destination", f"{BACKENDS[9]}:{PORT}",
        )  # fmt: skip
        subject.sample()
        assert broken(subject) == ["answered at the address dialled"]


@pytest.fixture
def connector(lab):
    with (
        open_service_path(lab) as path,
        open_connector(path.client, path.backend, PORT, CLIENTS, Clock("wall")) as opened,
    ):
        yield path, opened


def test_every_connection_has_a_source_of_its_own_and_is_answered(connector):
    _, opened = connector
    batch = opened.connect((str(BACKENDS[3]), PORT), 30)
    assert batch.made == len(batch.ticks) == 30
    assert batch.answered_by == {f"{BACKENDS[3]}:{PORT}"}
    assert batch.retransmitted == batch.ports_in_use == 0


def test_a_syn_that_is_lost_is_counted_and_its_time_kept_out(connector):
    path, opened = connector
    if commands.find("iptables-legacy") is None:
        pytest.skip("iptables-legacy is not installed")
    path.node.run(
        ["iptables-legacy", "-A", "FORWARD", "-p", "tcp", "--syn", "-m", "statistic",
         "--mode", "nth", "--every", "100", "--packet", "0", "-j", "DROP"]
    )  # fmt: skip
    batch = opened.connect((str(BACKENDS[1]), PORT), 5)
    assert batch.retransmitted == 1
    assert len(batch.ticks) == 4
    assert batch.made == 5


def test_a_port_where_nobody_listens_is_one_sentence(connector):
    _, opened = connector
    with pytest.raises(CnbenchError, match=r"no connection from .* to .*: Connection refused"):
        opened.connect((str(BACKENDS[1]), PORT + 1), 1)
