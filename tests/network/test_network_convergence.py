"""route-convergence: routes come and go by BIRD and by ip -batch."""

import pytest

from cnbench.core.errors import UnsupportedError
from cnbench.core.parameter import Point
from cnbench.experiments.route_convergence import EXPERIMENT, open_subject, pod_networks


def test_networks_differ_and_the_probed_one_is_last():
    networks = pod_networks(1000, "10.32.1.0/24")
    assert len(set(networks)) == 1000
    assert networks[256] == "10.65.0.0/24"
    assert networks[-1] == "10.32.1.0/24"


@pytest.mark.real
@pytest.mark.parametrize("routing", ["bird", "static"])
@pytest.mark.parametrize("routes", [1, 300])
def test_the_first_packet_passes_when_the_route_is_there(netlab, routing, routes):
    params = Point(routing=routing, routes=routes)
    try:
        EXPERIMENT.require(params, netlab)
    except UnsupportedError as error:
        pytest.skip(f"{error}; {error.remedy}")
    with open_subject(params, netlab) as subject:
        values = [subject.sample(), subject.sample()][1]
        proof = subject.proof()
    assert 0 < values["convergence"] <= values["complete"]
    assert [(c.claim, c.expected, c.observed) for c in proof.broken] == []
