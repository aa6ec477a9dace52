"""What a figure has to be multiplied by to be instructions."""

import pytest

from cnbench.analysis.profile.counted import bytes_of
from cnbench.core.case import Case


@pytest.mark.parametrize(
    ("experiment", "params", "metric", "size"),
    [
        ("cgroup-reclaim", {"controller": "v2", "asked": 4 * 2**20}, "reclaim", 4 * 2**20),
        ("cgroup-reclaim", {"controller": "v2", "asked": 4 * 2**20}, "error", 1),
        ("cgroup-net-cls", {"controller": "v1", "packets": 100}, "packet", 1),
        # A stream's cost is by the byte, but of which of its sizes nobody says.
        ("pod-network", {"size": 65536, "mtu": 1500}, "cpu_cost", 1),
    ],
)
def test_a_cost_by_the_byte_is_that_of_all_bytes_it_is_of(experiment, params, metric, size):
    assert bytes_of(Case(experiment, params), metric) == size
