"""container-network: every mode and way gives every metric and a proof, on this kernel."""

import pytest

from cnbench.core.errors import UnsupportedError
from cnbench.experiments.container_network import EXPERIMENT, open_subject
from cnbench.network.docker import HOST, open_docker_host, rules


def points(**given):
    return EXPERIMENT.grid(full=True, given={"messages": (30,), **given})


def test_none_is_not_reached_from_outside():
    assert not [p for p in points() if p["mode"] == "none" and p["way"] == "outside"]


def test_the_published_port_is_translated_and_let_through():
    text = rules("172.17.0.2", 80)
    assert "-p tcp --dport 80 -j DNAT --to-destination 172.17.0.2:80" in text
    assert text.count("COMMIT") == 2


@pytest.mark.real
@pytest.mark.parametrize("params", points(), ids=lambda p: f"{p['mode']}-{p['way']}-{p['traffic']}")
def test_every_mode_way_and_traffic_is_proven(netlab, params):
    try:
        EXPERIMENT.require(params, netlab)
    except UnsupportedError as error:
        pytest.skip(str(error))
    with open_subject(params, netlab) as subject:
        values = [subject.sample(), subject.sample()][1]
        proof = subject.proof()
    # Of so few messages, the slowest is no 99th percentile.
    by_byte = params["traffic"].endswith("-stream")
    costs = {"cpu_cost", "throughput"} if by_byte else {"exchange_cost"}
    assert set(values) == {*costs, "latency"}
    for name, value in values.items():
        EXPERIMENT.metric(name).check(value)
    assert [(c.claim, c.expected, c.observed) for c in proof.broken] == []


@pytest.mark.real
def test_what_is_not_published_is_not_reached(netlab):
    with open_docker_host(netlab, "bridge") as machine, machine.outside.entered():
        import socket

        with pytest.raises(OSError, match="refused"):
            socket.create_connection((HOST, 5999), timeout=2)
