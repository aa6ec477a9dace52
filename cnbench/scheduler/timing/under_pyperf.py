"""The questions of scheduler-scoring, timed by pyperf's own runner: a check on cnbench's sampler.

    python -m cnbench.scheduler.timing.under_pyperf --nodes 5000 -o scheduler.json
    python -m pyperf stats scheduler.json

pyperf starts each benchmark in several processes of its own, calibrates its loops, throws away the
first values and adds its metadata (CPU, load, Python, timer); all of its options are there. What it
does not do is take the benchmarks in turns, so its figures are for beside ours, not for comparing
plugins on a noisy machine. Everything is asked for a known pod, about every node.
"""

from __future__ import annotations

import argparse
import itertools
from functools import cache, partial

import pyperf

from cnbench.scheduler.engine import Scheduler
from cnbench.scheduler.inputs.synthetic import Mix, demanding_pod, synthetic_cluster
from cnbench.scheduler.plugins import DEFAULT_SCORES, FILTERS
from cnbench.scheduler.timing.workload import DECISION, FILTER, SCORE, Question

_QUESTIONS = (
    (DECISION, "both"),
    *((name, FILTER) for name in FILTERS),
    *((name, SCORE) for name in DEFAULT_SCORES),
)


def seconds_of(mix: Mix, plugin: str, extension_point: str, loops: int) -> float:
    """Seconds that so many answers take; the cluster is made when first asked for."""
    call = _question(mix, plugin, extension_point).prepared()
    call()
    began = pyperf.perf_counter()
    for _ in itertools.repeat(None, loops):
        call()
    seconds: float = pyperf.perf_counter() - began
    return seconds


@cache
def _question(mix: Mix, plugin: str, extension_point: str) -> Question:
    made = synthetic_cluster(mix)
    pod = demanding_pod(made.templates)
    return Question(Scheduler(made.cluster), pod, plugin, extension_point)


def main() -> None:
    """Run all benchmarks; pyperf reads the command line, and runs this again in its workers."""
    runner = pyperf.Runner(
        processes=5,
        program_args=("-m", "cnbench.scheduler.timing.under_pyperf"),
        add_cmdline_args=_pass_on,
    )
    runner.argparser.add_argument("--nodes", type=int, default=5_000)
    runner.argparser.add_argument("--pods-per-node", type=int, default=10)
    chosen = runner.parse_args()
    mix = Mix(nodes=chosen.nodes, pods=chosen.nodes * chosen.pods_per_node)
    for plugin, point in _QUESTIONS:
        name = f"{plugin} {point}, {mix.nodes} nodes"
        runner.bench_time_func(
            name, partial(seconds_of, mix, plugin, point), metadata={"pods": mix.pods}
        )


def _pass_on(command: list[str], chosen: argparse.Namespace) -> None:
    command += [f"--nodes={chosen.nodes}", f"--pods-per-node={chosen.pods_per_node}"]


if __name__ == "__main__":
    main()
