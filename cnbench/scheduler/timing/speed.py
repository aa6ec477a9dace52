"""How fast filtering, scoring and placing are here, beside the time memory itself would take.

    python -m cnbench.scheduler.timing.speed [--nodes N ...] [--pods-per-node 10] [--repeat 200]

Prints, for a pod with every kind of rule at once on a synthetic cluster, the median of each
plugin and of all, per pod and per (pod, node); the same for the first pod of its kind; updating
the state; and the time to stream the arrays touched, measured in the same run. Each array that a
plugin reads a column of or answers with counts once, tallies and temporaries not at all. Times
are CPU times; other work on the machine still shows in them through caches and memory.
"""

import argparse
import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cnbench.scheduler.cluster import Cluster
from cnbench.scheduler.columns.node_labels import LabelColumn
from cnbench.scheduler.engine import Scheduler
from cnbench.scheduler.inputs.synthetic import (
    Mix,
    demanding_pod,
    populated,
    synthetic_cluster,
    synthetic_nodes,
    synthetic_templates,
)
from cnbench.scheduler.model.objects import Pod
from cnbench.scheduler.plugins import FILTER_MODULES
from cnbench.scheduler.view import Item, View

# CPU time of this thread: what else runs on the machine is not the scheduler's cost.
_clock = time.thread_time
_STREAM_BYTES = 64 * 1024 * 1024
_FEW_NODES = 10


class WatchedView(View):
    """A view of all nodes that notes which arrays its columns come from."""

    def __init__(self, view: View) -> None:
        super().__init__(view.cluster, view.nodes, view.release, view.settings)
        self.touched: dict[int, NDArray[np.generic]] = {}

    def note(self, array: NDArray[np.generic]) -> None:
        """Count an array, once."""
        self.touched[array.__array_interface__["data"][0]] = array

    def column(self, column: NDArray[Item]) -> NDArray[Item]:
        """The column, noted."""
        self.note(column)
        return super().column(column)

    def columns(self, matrix: NDArray[Item]) -> NDArray[Item]:
        """The columns, noted row by row."""
        for row in matrix:
            self.note(row)
        return super().columns(matrix)

    def by_label(self, column: LabelColumn, table: NDArray[Item]) -> NDArray[Item]:
        """The entries, noted."""
        here = super().by_label(column, table)
        self.note(here)
        return here


@dataclass(frozen=True, slots=True)
class Timing:
    """One thing timed: its name and the median seconds."""

    name: str
    seconds: float


def median_of(work: Callable[[], object], repeat: int) -> float:
    """The median CPU time of a call in seconds, after one call to warm up."""
    work()
    times = []
    for _ in range(repeat):
        start = _clock()
        work()
        times.append(_clock() - start)
    return statistics.median(times)


class Stream:
    """Copies an array far larger than the caches: what memory alone takes."""

    def __init__(self) -> None:
        self._source = np.ones(_STREAM_BYTES // 8)
        self._target = np.empty_like(self._source)

    def seconds_per_byte(self) -> float:
        """Seconds per byte read or written, over one copy."""
        start = _clock()
        np.copyto(self._target, self._source)
        return (_clock() - start) / (2 * _STREAM_BYTES)


def beside_stream(
    scheduler: Scheduler, pod: Pod, stream: Stream, blocks: int = 40
) -> tuple[float, float]:
    """How long streaming the arrays touched takes (seconds), and how often that fits into all.

    Both are timed in turns, so that what disturbs one disturbs the other; medians over blocks.
    """
    size, streaming, ratios = touched_bytes(scheduler, pod), [], []
    for _ in range(blocks):
        before = stream.seconds_per_byte() * size
        everything = time_all(scheduler, pod, 5).seconds
        after = stream.seconds_per_byte() * size
        streaming += [before, after]
        ratios.append(2 * everything / (before + after))
    return statistics.median(streaming), statistics.median(ratios)


def touched_bytes(scheduler: Scheduler, pod: Pod) -> int:
    """The bytes of the columns that filtering and scoring a pod read, and of the answers."""
    view = WatchedView(scheduler.view())
    shape = scheduler.cluster.shape(pod)
    kept = [mask for mask in scheduler.masks(view, shape).values() if mask is not None]
    kept.append(scheduler.filter(pod).feasible)
    scored = [scheduler.arithmetic.score(name, view, shape) for name in scheduler.scores]
    for scores in scored:
        view.note(scores.raw)
        view.note(scores.normalised)
    for mask in kept:
        view.note(mask)
    total = scheduler.score(pod).total
    view.note(total)
    return sum(array.nbytes for array in view.touched.values())


def time_plugins(scheduler: Scheduler, pod: Pod, repeat: int) -> list[Timing]:
    """The median of each filter and score over all nodes, warm."""
    view, shape = scheduler.view(), scheduler.cluster.shape(pod)
    timings = []
    for name in scheduler.filters:
        run = partial(FILTER_MODULES[name].feasible, view, shape)
        timings.append(Timing(f"filter {name}", median_of(run, repeat)))
    for name in scheduler.scores:
        run = partial(scheduler.arithmetic.score, name, view, shape)
        timings.append(Timing(f"score {name}", median_of(run, repeat)))
    return timings


def time_all(scheduler: Scheduler, pod: Pod, repeat: int) -> Timing:
    """The median of filter and score together, over all nodes."""

    def decide() -> None:
        scheduler.filter(pod)
        scheduler.score(pod)

    return Timing("all filters and scores", median_of(decide, repeat))


def time_new_shapes(scheduler: Scheduler, pod: Pod, repeat: int) -> Timing:
    """The same for a pod none of whose rules was asked about before."""
    times = []
    for _ in range(repeat):
        scheduler.cluster.forget_questions()
        start = _clock()
        scheduler.filter(pod)
        scheduler.score(pod)
        times.append(_clock() - start)
    return Timing("all, first pod of its kind", statistics.median(times))


def time_updates(scheduler: Scheduler, pod: Pod, repeat: int) -> list[Timing]:
    """The median of placing a pod on a given node, and of removing it."""
    cluster, adding, removing = scheduler.cluster, [], []
    replicas = [replace(pod, name=f"speed-{n}") for n in range(repeat)]
    for number, replica in enumerate(replicas):
        start = _clock()
        cluster.add(replica, number * 7 % len(cluster))
        adding.append(_clock() - start)
    for replica in replicas:
        start = _clock()
        cluster.remove(replica)
        removing.append(_clock() - start)
    return [
        Timing("place: update of the state", statistics.median(adding)),
        Timing("remove: update of the state", statistics.median(removing)),
    ]


def memory(mix: Mix) -> tuple[float, float]:
    """Bytes per node of a cluster without pods, and per pod placed (names and tallies included).

    The nodes' and replica sets' own objects, which the caller made, are not counted.
    """
    nodes, templates = synthetic_nodes(mix), synthetic_templates(mix)
    gc.collect()
    tracemalloc.start()
    cluster = Cluster(nodes)
    Scheduler(cluster).score(demanding_pod(templates))
    empty, _ = tracemalloc.get_traced_memory()
    made = populated(cluster, templates, mix)
    Scheduler(cluster).score(demanding_pod(made.templates))
    full, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return empty / mix.nodes, (full - empty) / max(mix.pods, 1)


def report(mix: Mix, repeat: int, stream: Stream) -> None:
    """Print the table of one cluster."""
    made = synthetic_cluster(mix)
    scheduler, pod = Scheduler(made.cluster), demanding_pod(made.templates)
    plain = made.templates[0]
    everything = time_all(scheduler, pod, repeat)
    rows = [
        *time_plugins(scheduler, pod, repeat),
        everything,
        Timing("all, a pod with few rules", time_all(scheduler, plain, repeat).seconds),
        time_new_shapes(scheduler, pod, max(3, repeat // 10)),
    ]
    print(f"\n{mix.nodes:,} nodes, {mix.pods:,} pods")
    print(f"{'':34}{'µs per pod':>12}{'ns per node':>12}")
    for row in rows:
        print(f"{row.name:34}{row.seconds * 1e6:12.1f}{row.seconds * 1e9 / mix.nodes:12.2f}")
    for row in time_updates(scheduler, pod, 1000):
        print(f"{row.name:34}{row.seconds * 1e6:12.1f}")
    streaming, ratio = beside_stream(scheduler, pod, stream)
    size = touched_bytes(scheduler, pod) / mix.nodes
    calls = calls_alone(repeat)
    print(f"{'streaming the arrays touched':34}{streaming * 1e6:12.1f}  ({size:.0f} B a node)")
    print(f"{'all / streaming, in turns':34}{ratio:12.2f}")
    print(f"{calls.name:34}{calls.seconds * 1e6:12.1f}")
    print(f"{'all without calls / streaming':34}{ratio - calls.seconds / streaming:12.2f}")


def calls_alone(repeat: int) -> Timing:
    """The same question on so few nodes that calling numpy is all that it costs."""
    made = synthetic_cluster(Mix(nodes=_FEW_NODES, pods=10 * _FEW_NODES))
    pod = demanding_pod(made.templates)
    took = time_all(Scheduler(made.cluster), pod, repeat).seconds
    return Timing(f"all on {_FEW_NODES} nodes: calls alone", took)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(prog="python -m cnbench.scheduler.timing.speed")
    parser.add_argument("--nodes", type=int, nargs="+", default=[100, 1_000, 5_000, 20_000])
    parser.add_argument("--pods-per-node", type=int, default=10)
    parser.add_argument("--repeat", type=int, default=200, help="calls per median")
    parser.add_argument("--memory", action="store_true", help="measure memory too (slow)")
    chosen = parser.parse_args(arguments)
    stream = Stream()
    for nodes in chosen.nodes:
        mix = Mix(nodes=nodes, pods=nodes * chosen.pods_per_node)
        report(mix, chosen.repeat, stream)
        if chosen.memory:
            per_node, per_pod = memory(mix)
            print(f"{'memory':34}{per_node:12.0f} B a node, {per_pod:.0f} B a pod")


if __name__ == "__main__":
    main()
