"""node-network: traffic between two members, where its user has said, and no more of it."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cnbench.cli.fleet.node_network import _new
from cnbench.cli.main import main
from cnbench.core.errors import CnbenchError
from cnbench.core.fingerprint import Fingerprint
from cnbench.fleet.node_network import sessions
from cnbench.fleet.node_network.accounts import (
    PROOF_BYTES,
    SIZE,
    Account,
    NodeEnd,
    Order,
    Session,
    Tapped,
)
from cnbench.fleet.node_network.result import proof_of, result_of
from cnbench.lab.waiting import wait_until
from cnbench.network.devices.links import LinkCounters, received
from cnbench.probes.packets import dissect
from cnbench.probes.tap import open_tap
from cnbench.store import run_file
from cnbench.store.recorder import Recorder

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from fleet_known_answers.between import WIRE, lay_wire
from fleet_known_answers.in_namespaces import fleet_in_namespaces, said_by

FINGERPRINT = Fingerprint("host", "wall", "6.1", {}, {}, {}, "")
ONE = NodeEnd("one", "eth1", "10.0.0.1", "boot one", 1, 0, FINGERPRINT)
OTHER = NodeEnd("other", "eth1", "10.0.0.2", "boot other", 1, 0, FINGERPRINT)
ORDER = Order(ONE, OTHER, rate=10e6, samples=6)
CARRIED = LinkCounters(packets=1000, bytes=10_100_000, dropped=0)
TAPPED = Tapped(["plain"], PROOF_BYTES, [64])


def account(peer, busy):
    made = [Session(f"{n}", peer, 10_000_000, 1.0, 5, CARRIED, busy, float(n)) for n in range(7)]
    proof = replace(made.pop(), nbytes=PROOF_BYTES, seconds=0.105)
    return Account(made, proof, TAPPED)


CLIENT, SERVER = account(OTHER.address, 0.2), account(ONE.address, 0.3)


def first(of, **changed):
    """``of`` with its first session changed."""
    return replace(of, sessions=[replace(of.sessions[0], **changed), *of.sessions[1:]])


def tapped(of, **changed):
    return replace(of, tapped=replace(of.tapped, **changed))


def test_two_accounts_of_one_thing_are_a_proof():
    assert proof_of(ORDER, CLIENT, SERVER).broken == ()


@pytest.mark.parametrize(
    ("client", "server", "claim"),
    [
        (first(CLIENT, cookie="another"), SERVER, "sessions that both ends tell of"),
        (first(CLIENT, peer="10.0.0.3"), SERVER, "whom one sent to"),
        (CLIENT, first(SERVER, peer="10.0.0.3"), "whom other received from"),
        (first(CLIENT, nbytes=9_999_999), SERVER, "bytes that one sent, by its own count"),
        (first(CLIENT, link=LinkCounters(1, 1, 0)), SERVER, "bytes that eth1 of one sent"),
        (CLIENT, first(SERVER, link=LinkCounters(1, 1, 0)), "bytes that eth1 of other received"),
        (first(CLIENT, nbytes=10_000_000 + SIZE + 1), SERVER, "bytes of any session beyond"),
        (first(CLIENT, seconds=1.5), SERVER, "seconds of sending"),
        (tapped(CLIENT, encapsulations=["plain", "vxlan"]), SERVER, "tapped on eth1 of one"),
        (CLIENT, tapped(SERVER, payload=PROOF_BYTES - 1), "tapped on eth1 of other"),
        (CLIENT, tapped(SERVER, ttls=[62, 63]), "routers passed"),
        (CLIENT, tapped(SERVER, ttls=[]), "routers passed"),
        (CLIENT, tapped(SERVER, ttls=[65]), "routers passed"),
    ],
)  # fmt: skip
def test_each_claim_is_refuted_by_what_contradicts_it(client, server, claim):
    broken = proof_of(ORDER, client, server).broken
    assert [claim in check.claim for check in broken] == [True]
    result = result_of(ORDER, client, server)
    assert result.status == "failed"
    assert claim in result.reason
    assert not result.samples


@pytest.mark.parametrize(("rate", "writes"), [(1e5, 1), (20e6, 3), (64e6, 9), (1e11, 10)])
def test_a_burst_is_ten_writes_unless_these_take_long(rate, writes):
    assert replace(ORDER, rate=rate).writes_at_once == writes


def test_machines_are_counted_once_each():
    values = result_of(ORDER, CLIENT, SERVER).samples[0].values
    assert values["cpu_cost"] == pytest.approx(0.5 / 10e6)
    assert values["cpu_sending"] == pytest.approx(0.2 / 10e6)
    shared = replace(ORDER, server=replace(OTHER, machine=ONE.machine))
    values = result_of(shared, CLIENT, SERVER).samples[0].values
    assert values["cpu_cost"] == pytest.approx(0.2 / 10e6)
    assert "cpu_sending" not in values


def test_what_passed_the_interface_is_told_by_the_message():
    values = result_of(ORDER, CLIENT, SERVER).samples[0].values
    assert values["throughput"] == 10e6
    assert values["packets"] == pytest.approx(1000 * SIZE / 10e6)
    assert values["packet_size"] == pytest.approx(10_100)
    assert values["retransmitted"] == pytest.approx(0.005)


@pytest.mark.real
def test_a_server_that_does_not_come_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(sessions, "_SECONDS_TO_MEET", 0.1)
    monkeypatch.setattr(sessions, "PORT", 1)
    here = replace(ONE, interface="lo", address="127.0.0.1", sends_on=0)
    order = replace(ORDER, client=here, server=here)
    counting = sessions.Counting(lambda: CARRIED)
    with pytest.raises(CnbenchError, match="unable to connect"):
        sessions.send_once(order, counting, proof=False)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["a", "b", "--interface", "x", "--time", "10s"], "Missing option '--rate'"),
        (["a", "b", "--interface", "x", "--rate", "1MB/s"], "Missing option '--time'"),
        (["a", "b", "--rate", "1MB/s", "--time", "10s"], "Missing option '--interface'"),
        (["a", "a", "--interface", "x", "--rate", "1MB/s", "--time", "10s"], "to itself"),
        (["a", "b", "--interface", "x", "--rate", "1MB/s", "--time", "2s"], "--time is from 6 s"),
        (["a", "b", "--interface", "x", "--rate", "1MB/s", "--time", "2h"], "to 3600 s"),
        (["a", "b", "--interface", "x", "--rate", "0B/s", "--time", "10s"], "more than nothing"),
    ],
)
def test_what_is_not_bounded_is_refused(argv, said, capsys, monkeypatch):
    words = ["cnbench", "fleet", "node-network", *argv, "--scheduler", "tcp://h:1"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("command", [("run",), ("fleet", "run")])
def test_there_is_no_going_on_with_what_is_one_case(command, tmp_path, capsys, monkeypatch):
    path = tmp_path / "nodes.jsonl"
    Recorder(_new(ORDER), path).begin()
    monkeypatch.setattr(sys, "argv", ["cnbench", *command, "--resume", str(path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "is measured as a whole or not at all" in said
    assert "cnbench fleet node-network" in said


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    with fleet_in_namespaces(2, tmp_path_factory.mktemp("fleet")) as found:
        lay_wire(found)
        for worker in [found.start_worker(at, "--jobs", "1") for at in range(2)]:
            said_by(worker, "is ready")
        yield found


def listens(node):
    return f":{sessions.PORT} " in node.run(["ss", "-Hltn"]).stdout


def ordered(fleet, *nodes, interface=WIRE):
    return fleet.node_network(
        *nodes, "--interface", interface, "--rate", "4MB/s", "--time", "6s", "-o", "o.jsonl"
    )


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces are made by root")
class TestInNamespaces:
    """Two nodes that a veth pair joins, beside what joins both to the scheduler."""

    def test_two_nodes_make_one_run_of_what_went_between_them_alone(self, fleet):
        other = fleet.nodes[1]
        before = received(other, "eth0").bytes
        with open_tap(other, WIRE) as tap:
            done = ordered(fleet, "node0", "node1")
            seen = [dissect(frame.data) for frame in tap.frames()]
        assert done.returncode == 0, done.stderr
        assert {p.source for p in seen if p} == {"10.78.0.1", "10.78.0.2"}
        assert {p.destination for p in seen if p} == {"10.78.0.1", "10.78.0.2"}
        # By the other way came what the scheduler had to say: less than any of the samples.
        assert received(other, "eth0").bytes - before < 1_000_000
        run = run_file.read(fleet.folder / "o.jsonl")
        (case,) = run.cases
        assert case.status == "ok", case.reason
        assert (case.case.params["client"], case.case.params["server"]) == ("node0", "node1")
        assert case.proof.holds
        assert len(case.samples) == 6
        assert all(0 < sample.values["throughput"] < 4.2e6 for sample in case.samples)
        assert case.fingerprint in run.fingerprints
        assert run.finished

    def test_both_ends_stop_when_their_user_does(self, fleet):
        asked = ("node0", "node1", "--interface", WIRE, "--rate", "4MB/s", "--time", "300s")
        with fleet.asking("node-network", *asked, "-o", "stopped.jsonl") as run:
            said_by(run, "sends to")
            wait_until(lambda: listens(fleet.nodes[1]), "nobody listened", within=60)
            run.terminate()
            run.communicate()
        assert run.returncode == 130
        wait_until(lambda: not listens(fleet.nodes[1]), "it listened on", within=60)
        assert not run_file.read(fleet.folder / "stopped.jsonl").cases
        # Their machine is free for others at once.
        assert ordered(fleet, "node0", "node1").returncode == 0

    @pytest.mark.parametrize(
        ("nodes", "interface", "said"),
        [
            (("node0", "node7"), WIRE, "no member is called 'node7'"),
            (("node0", "node1"), "wires", "has no interface wires"),
            (("node0", "node1"), "lo", "both nodes have the address 127.0.0.1"),
        ],
    )
    def test_what_is_not_there_is_refused_before_anything_is_sent(
        self, fleet, nodes, interface, said
    ):
        before = received(fleet.nodes[1], WIRE)
        done = ordered(fleet, *nodes, interface=interface)
        assert done.returncode != 0
        assert said in done.stderr
        assert received(fleet.nodes[1], WIRE).packets - before.packets < 10
