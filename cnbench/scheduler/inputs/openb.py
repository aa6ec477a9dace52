"""The openb production trace (Alibaba, clusterdata GPU 2023) as nodes and pods.

A trace is a folder with `openb_node_list_all_node.csv` (sn, cpu_milli, memory_mib, gpu, model)
and `openb_pod_list_default.csv` (name, cpu_milli, memory_mib, num_gpu, gpu_milli, gpu_spec, qos,
...). GPUs become one extended resource in thousandths of a GPU: a node with 8 has 8000, a pod
asking for 460 thousandths of one asks 460. Which of a node's GPUs a pod lands on is not
modelled, so a node may be filled with shares that no single GPU could hold.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from cnbench.scheduler.cluster import Cluster
from cnbench.scheduler.engine import Scheduler
from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.model.node_rules import NodeAffinity, NodeSelectorTerm
from cnbench.scheduler.model.objects import Node, Pod
from cnbench.scheduler.model.quantities import CPU, MEMORY, MIB
from cnbench.scheduler.model.selectors import Requirement

NODES_FILE = "openb_node_list_all_node.csv"
PODS_FILE = "openb_pod_list_default.csv"
GPU = "alibabacloud.com/gpu-milli"
GPU_MODEL = "alibabacloud.com/gpu-card-model"
QOS = "alibabacloud.com/qos"

_NODE_COLUMNS = ("sn", "cpu_milli", "memory_mib", "gpu", "model")
_POD_COLUMNS = ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "gpu_spec", "qos")

Row = Mapping[str, str]
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace in memory: nodes, and pods in the order of the file (that of their arrival)."""

    nodes: tuple[Node, ...]
    pods: tuple[Pod, ...]


def load_trace(folder: Path | str) -> Trace:
    """Read a trace.

    Raises:
        SchedulerInputError: a file or a column is missing, or a value is not what it should be;
            the message names the file, the row (the header is row 1) and the column.
    """
    folder = Path(folder)
    nodes = tuple(_each(folder / NODES_FILE, _NODE_COLUMNS, _node))
    pods = tuple(_each(folder / PODS_FILE, _POD_COLUMNS, _pod))
    return Trace(nodes, pods)


def _each(path: Path, columns: Sequence[str], make: Callable[[Row, str], Made]) -> Iterator[Made]:
    """What each row makes; the first column is a name that no other row may have."""
    try:
        yield from _each_row(path, columns, make)
    except csv.Error as error:
        raise SchedulerInputError(path.name, "row", f"is no CSV ({error})") from None


def _each_row(
    path: Path, columns: Sequence[str], make: Callable[[Row, str], Made]
) -> Iterator[Made]:
    reader = csv.DictReader(io.StringIO(_text_of(path)))
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    if missing:
        problem = f"missing; the header has {', '.join(reader.fieldnames or ['nothing'])}"
        raise SchedulerInputError(f"{path.name} row 1", f"column {', '.join(missing)}", problem)
    seen: dict[str, int] = {}
    for row in reader:
        where = f"{path.name} row {reader.line_num}"
        if None in row:
            raise SchedulerInputError(where, "row", "has more fields than the header")
        made = _made(make, row, where)
        before = seen.setdefault(row[columns[0]], reader.line_num)
        if before != reader.line_num:
            raise SchedulerInputError(where, columns[0], f"is that of row {before}")
        yield made


def _text_of(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise SchedulerInputError("trace", str(path), "is not a file")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        problem = f"cannot be read ({error.strerror}); give the folder that holds the openb files"
        raise SchedulerInputError("trace", str(path), problem) from None
    except UnicodeDecodeError as error:
        raise SchedulerInputError("trace", str(path), f"is not text ({error.reason})") from None


def _made(make: Callable[[Row, str], Made], row: Row, where: str) -> Made:
    try:
        return make(row, where)
    except SchedulerInputError as error:
        raise error if error.where == where else error.inside(where) from None


def _node(row: Row, where: str) -> Node:
    capacity = {
        CPU: _whole(row, "cpu_milli", where),
        MEMORY: _whole(row, "memory_mib", where) * MIB,
        GPU: 1000 * _whole(row, "gpu", where),
    }
    name = _text(row, "sn", where)
    labels = {"kubernetes.io/hostname": name}
    if row["model"]:
        labels[GPU_MODEL] = row["model"]
    return Node(name, capacity, labels)


def _pod(row: Row, where: str) -> Pod:
    requests = {
        CPU: _whole(row, "cpu_milli", where),
        MEMORY: _whole(row, "memory_mib", where) * MIB,
        GPU: _whole(row, "num_gpu", where) * _whole(row, "gpu_milli", where),
    }
    models = tuple(model for model in (row["gpu_spec"] or "").split("|") if model)
    affinity = None
    if models:
        affinity = NodeAffinity([NodeSelectorTerm([Requirement(GPU_MODEL, "In", models)])])
    return Pod(
        _text(row, "name", where),
        requests=requests,
        labels={QOS: row["qos"] or ""},
        node_affinity=affinity,
    )


def _text(row: Row, column: str, where: str) -> str:
    if not row[column]:
        raise SchedulerInputError(where, column, "must not be empty")
    return row[column]


def _whole(row: Row, column: str, where: str) -> int:
    text = row[column]
    try:
        value = int(text)
    except (TypeError, ValueError):
        raise SchedulerInputError(where, column, f"{text!r} is not a whole number") from None
    if value < 0:
        raise SchedulerInputError(where, column, f"{value} is negative")
    return value


@dataclass(frozen=True, slots=True)
class Packing:
    """How a set of pods ended up: the proof that they were scheduled.

    Attributes:
        placed: pods that found a node.
        unplaced: keys of the pods that did not.
        allocated: by resource the share of all nodes' capacity that is requested.
        nodes_used: nodes with at least one pod.
    """

    placed: int
    unplaced: tuple[str, ...]
    allocated: Mapping[str, float]
    nodes_used: int


def schedule_all(scheduler: Scheduler, pods: Iterable[Pod]) -> list[str]:
    """Place pods one after another; returns the keys of those no node was feasible for."""
    return [pod.key for pod in pods if scheduler.place(pod) is None]


def packing(cluster: Cluster, unplaced: Iterable[str]) -> Packing:
    """What the cluster holds now."""
    allocated = {}
    for resource in cluster.resources.rows:
        capacity = int(cluster.capacity(resource).sum())
        used = int(cluster.requested(resource).sum())
        allocated[resource] = used / capacity if capacity else 0.0
    used_nodes = int(np.count_nonzero(cluster.requested("pods")))
    return Packing(cluster.pod_count, tuple(unplaced), allocated, used_nodes)
