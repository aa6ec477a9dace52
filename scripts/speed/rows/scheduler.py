"""What choosing a node costs on 5,000 nodes, beside streaming the arrays that it touches."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from speed.row import Figure, Row
from speed.sides import CPU_TIME, Side

_STREAMING = "streaming the arrays touched"

# All filters and scores for the pod with every kind of rule; the median CPU time of a thread.
_DECIDE = """
import statistics, sys, time
try:
    from cnbench.scheduler.inputs.synthetic import Mix, demanding_pod, synthetic_cluster
    from cnbench.scheduler.timing.speed import Stream, touched_bytes
except ImportError:
    from cnbench.scheduler.speed import Stream, touched_bytes
    from cnbench.scheduler.synthetic import Mix, demanding_pod, synthetic_cluster
from cnbench.scheduler.engine import Scheduler
nodes, times, new = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "new"
made = synthetic_cluster(Mix(nodes=nodes, pods=10 * nodes))
scheduler, pod = Scheduler(made.cluster), demanding_pod(made.templates)
stream, took, streamed = Stream(), [], []
size = touched_bytes(scheduler, pod)
for number in range(times):
    if new:
        scheduler.cluster.forget_questions()
    began = time.thread_time()
    scheduler.filter(pod)
    scheduler.score(pod)
    took.append(time.thread_time() - began)
    if number % (times // 20) == 0:
        streamed.append(stream.seconds_per_byte() * size)
print(statistics.median(took), statistics.median(streamed))
"""


def _decide(nodes: int, times: int, which: str, side: Side, folder: Path) -> dict[str, float]:
    seconds, streaming = side.told_by(_DECIDE, nodes, times, which)
    return {CPU_TIME: seconds, _STREAMING: streaming}


def rows(*, reduced: bool) -> list[Row]:
    """The rows of this file."""
    nodes, times = (100, 20) if reduced else (5_000, 300)
    asked = (
        ("new", "a pod whose every question is new", 1 / 3),
        ("known", "a pod whose questions are known", 1 / 2),
    )
    return [
        Row(f"scheduler-{which}", f"{what}, {nodes:,} nodes, all filters and scores",
            (Figure(CPU_TIME, "s", target), Figure(_STREAMING, "s", None)),
            partial(_decide, nodes, times, which))
        for which, what, target in asked
    ]  # fmt: skip
