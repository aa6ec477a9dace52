"""Traffic between two nodes, beside pod-network's on a path of the same kind."""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median

import numpy as np
from fleet_known_answers.in_namespaces import FleetInNamespaces, fleet_in_namespaces, said_by

from cnbench.lab.netns import address, join
from cnbench.network.devices.steering import receive_on
from cnbench.stats.intervals import mean_interval
from cnbench.store import run_file

WIRE = "wire"
METRICS = ("throughput", "cpu_cost", "packets", "packet_size")
# Far above what the path does: a bound that is reached would make any two paths equal.
_UNREACHED = "100000MB/s"
_ROUNDS = 6
_SECONDS = 8
_POD_BUDGET = 25
# What has to be noticed: the gate rings.
_SEEDED = 1.5
_CONFIDENCE = 1 - 0.05 / len(METRICS)

Values = Mapping[str, list[float]]


def between(folder: Path, _: random.Random) -> bool:
    """Whether node-network measures what pod-network does, within what rounds differ by."""
    rounds: dict[str, list[Values]] = {"none": [], "host-gw": [], "node-network": []}
    with fleet_in_namespaces(2, folder) as fleet:
        lay_wire(fleet)
        for worker in [fleet.start_worker(at, "--jobs", "1") for at in range(2)]:
            said_by(worker, "is ready")
        for number in range(_ROUNDS):  # in turn, since a machine is not the same for long
            for name, found in _by_pod_network(folder / f"pods{number}.jsonl").items():
                rounds[name].append(found)
            rounds["node-network"].append(_by_node_network(fleet, folder / f"nodes{number}.jsonl"))
            print(f"round {number + 1} of {_ROUNDS}", file=sys.stderr, flush=True)
    alike = [_same(rounds, "none", metric) for metric in METRICS]
    # Which has a bridge at either end, and so is another path: it is told beside.
    for metric in METRICS:
        _same(rounds, "host-gw", metric)
    noticed = [not _same(rounds, "none", metric, _SEEDED) for metric in METRICS]
    return all(alike) and all(noticed)


def _same(rounds: Mapping[str, list[Values]], name: str, metric: str, seeded: float = 1.0) -> bool:
    """Whether the interval of the ratio of both, by rounds, holds 1; and print it.

    Of all metrics together it does so in 95 %. What node-network gave is ``seeded`` times as much.
    """
    nodes, pods = (
        np.log([median(found[metric]) for found in rounds[each]]) for each in ("node-network", name)
    )
    ratio = mean_interval(nodes - pods + math.log(seeded), _CONFIDENCE).map(math.exp)
    same = ratio.low <= 1 <= ratio.high
    print(
        f"{metric}: {seeded:g} times node-network's {math.exp(nodes.mean()):.4g},"
        f" pod-network {name} {math.exp(pods.mean()):.4g}: {ratio.estimate:.3f} times"
        f" [{ratio.low:.3f} to {ratio.high:.3f}], {'the same' if same else 'not the same'}"
    )
    return same


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
