"""Traffic between two nodes, beside pod-network's on a path of the same kind."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from fleet_known_answers.in_namespaces import FleetInNamespaces, fleet_in_namespaces, said_by

from cnbench.lab.netns import address, join
from cnbench.network.devices.steering import receive_on
from cnbench.stats.intervals import median_interval
from cnbench.store import run_file

WIRE = "wire"
METRICS = ("throughput", "cpu_cost", "packets", "packet_size")
# Far above what the path does: a bound that is reached would make any two paths equal.
_UNREACHED = "100000MB/s"
_ROUNDS = 3
_SECONDS = 12
_POD_BUDGET = 50

Values = Mapping[str, list[float]]


def between(folder: Path, _: random.Random) -> bool:
    """Whether node-network's intervals have values in common with those of pod-network's."""
    paths: dict[str, dict[str, list[float]]] = {
        name: {metric: [] for metric in METRICS} for name in ("none", "host-gw", "node-network")
    }
    with fleet_in_namespaces(2, folder) as fleet:
        lay_wire(fleet)
        for worker in [fleet.start_worker(at, "--jobs", "1") for at in range(2)]:
            said_by(worker, "is ready")
        for number in range(_ROUNDS):  # in turn, since a machine is not the same for long
            for name, found in _by_pod_network(folder / f"pods{number}.jsonl").items():
                _add(paths[name], found)
            _add(paths["node-network"], _by_node_network(fleet, folder / f"nodes{number}.jsonl"))
    alike = True
    for metric in METRICS:
        found = {name: median_interval(values[metric]) for name, values in paths.items()}
        nodes = found["node-network"]
        for name in ("none", "host-gw"):
            pods = found[name]
            meet = nodes.low <= pods.high and pods.low <= nodes.high
            # host-gw has a bridge at either end: it is shown beside, and is another path.
            alike &= meet or name != "none"
            print(
                f"{metric}: node-network {nodes.estimate:.4g} [{nodes.low:.4g}, {nodes.high:.4g}],"
                f" pod-network {name} {pods.estimate:.4g} [{pods.low:.4g}, {pods.high:.4g}]:"
                f" {nodes.estimate / pods.estimate - 1:+.1%},"
                f" intervals {'meet' if meet else 'are apart'}"
                f" (of {len(paths['node-network'][metric])} and {len(paths[name][metric])} samples)"
            )
    return alike


def lay_wire(fleet: FleetInNamespaces) -> None:
    """Join the first two nodes by a veth pair of their own, and steer it as pod-network does."""
    one, other = fleet.nodes[:2]
    join(one, WIRE, other, WIRE)
    for number, node in enumerate((one, other), 1):
        address(node, WIRE, f"10.78.0.{number}/24")
    allowed = os.sched_getaffinity(0)
    if min(allowed) != max(allowed):
        receive_on(one, WIRE, max(allowed))
        receive_on(other, WIRE, min(allowed))


def _by_node_network(fleet: FleetInNamespaces, path: Path) -> Values:
    done = fleet.node_network(
        *("node0", "node1", "--interface", WIRE, "--rate", _UNREACHED),
        *("--time", f"{_SECONDS}s", "-o", str(path)),
    )
    if done.returncode:
        raise SystemExit(f"node-network ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    (found,) = _values(path).values()
    return found


def _by_pod_network(path: Path) -> Mapping[str, Values]:
    point = ("backend=none,host-gw", "traffic=tcp-stream", "load=iperf3", "hops=0", "offloads=on")
    given = [option for value in point for option in ("-p", value)]
    argv = [sys.executable, "-m", "cnbench", "run", "pod-network", "--lab", "host", *given]
    argv += ["--budget", f"{_POD_BUDGET}s", "-o", str(path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"pod-network ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return _values(path)


def _values(path: Path) -> Mapping[str, Values]:
    return {
        str(case.case.params.get("backend", "")): {
            metric: [s.values[metric] for s in case.samples if not s.replaced] for metric in METRICS
        }
        for case in run_file.read(path).cases
    }


def _add(to: dict[str, list[float]], found: Values) -> None:
    for metric, values in found.items():
        to[metric] += values
