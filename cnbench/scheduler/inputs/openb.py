"""The openb production trace (Alibaba, clusterdata GPU 2023) as nodes and pods.

A trace is a folder with lists of nodes (`openb_node_list_all_node.csv`: sn, cpu_milli, memory_mib,
gpu, model) and of pods (`openb_pod_list_default.csv`: name, cpu_milli, memory_mib, num_gpu,
gpu_milli, gpu_spec, qos, ...). GPUs become one extended resource in thousandths of a GPU: a node
with 8 has 8000, a pod asking for 460 thousandths of one asks 460. Which of a node's GPUs a pod
lands on is not modelled, so a node may be filled with shares that no single GPU could hold.

Variants of the lists (`default`, `multigpu20`, `gpuspec33`, `gpu_node`, ...) differ in more than
their rows. Lists of five columns have neither GPU models nor a class of service. Rows may not be
in the order in which pods came. And each list of nodes counts its own: the same name is another
machine in another list, so a trace has the nodes of one list alone, and says of which.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnbench.scheduler.cluster import Cluster
from cnbench.scheduler.engine import Scheduler
from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.model.node_rules import NodeAffinity, NodeSelectorTerm
from cnbench.scheduler.model.objects import Node, Pod
from cnbench.scheduler.model.quantities import CPU, MEMORY, MIB
from cnbench.scheduler.model.selectors import Requirement

NODES_FILE = "openb_node_list_{}.csv"
PODS_FILE = "openb_pod_list_{}.csv"
ALL_NODES, DEFAULT_PODS = "all_node", "default"
GPU = "alibabacloud.com/gpu-milli"
GPU_MODEL = "alibabacloud.com/gpu-card-model"
QOS = "alibabacloud.com/qos"

_NODE_COLUMNS = ("sn", "cpu_milli", "memory_mib", "gpu", "model")
_SHORT_POD_COLUMNS = ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli")
_POD_COLUMNS = (*_SHORT_POD_COLUMNS, "gpu_spec", "qos")
_CAME = "creation_time"
# A list that is named for the share of its pods that want a GPU of certain models.
_WITH_MODELS = "gpuspec"

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace in memory.

    Attributes:
        nodes: the nodes.
        pods: the pods in the order in which they came.
        files: the names of the two lists: a node's name means a machine of the first alone.
    """

    nodes: tuple[Node, ...]
    pods: tuple[Pod, ...]
    files: tuple[str, str] = ("", "")


def load_trace(folder: Path | str, *, nodes: str = ALL_NODES, pods: str = DEFAULT_PODS) -> Trace:
    """Read a trace.

    Args:
        folder: where the lists are.
        nodes: which list of nodes, by what its file's name ends with.
        pods: which list of pods.

    Raises:
        SchedulerInputError: a file or a column is missing, a value is not what it should be, or a
            list lacks what it is named for; the message names the file, the row (the header is
            row 1) and the column.
    """
    folder = Path(folder)
    of_nodes, of_pods = folder / NODES_FILE.format(nodes), folder / PODS_FILE.format(pods)
    made = tuple(_node(row, where) for row, where in _rows(of_nodes, _NODE_COLUMNS))
    return Trace(made, tuple(_pods(of_pods)), (of_nodes.name, of_pods.name))


def _pods(path: Path) -> Iterator[Pod]:
    rows = list(_rows(path, _POD_COLUMNS, _SHORT_POD_COLUMNS))
    named_for_models = path.stem.rpartition("_")[2].startswith(_WITH_MODELS)
    if named_for_models and not any(row.get("gpu_spec") for row, _ in rows):
        problem = "no pod wants a certain model, though the list is named for it"
        raise SchedulerInputError(path.name, "column gpu_spec", problem)
    if rows and _CAME in rows[0][0]:
        rows.sort(key=lambda row: _whole(row[0], _CAME, row[1]))
    return (_pod(row, where) for row, where in rows)


def _rows(path: Path, *wanted: Sequence[str]) -> Iterator[tuple[Row, str]]:
    """Each row and where it is; the first column is a name that no other row may have.

    The header has all columns wanted; or exactly those of the second choice.
    """
    try:
        yield from _checked_rows(path, *wanted)
    except csv.Error as error:
        raise SchedulerInputError(path.name, "row", f"is no CSV ({error})") from None


def _checked_rows(path: Path, *wanted: Sequence[str]) -> Iterator[tuple[Row, str]]:
    reader = csv.DictReader(io.StringIO(_text_of(path)))
    header = tuple(reader.fieldnames or ())
    columns = wanted[-1] if sorted(header) == sorted(wanted[-1]) else wanted[0]
    missing = [name for name in columns if name not in header]
    if missing:
        problem = f"missing; the header has {', '.join(header or ['nothing'])}"
        raise SchedulerInputError(f"{path.name} row 1", f"column {', '.join(missing)}", problem)
    seen: dict[str, int] = {}
    for row in reader:
        where = f"{path.name} row {reader.line_num}"
        if None in row:
            raise SchedulerInputError(where, "row", "has more fields than the header")
        yield row, where
        before = seen.setdefault(row[columns[0]], reader.line_num)
        if before != reader.line_num:
            raise SchedulerInputError(where, columns[0], f"is that of row {before}")


def _text_of(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise SchedulerInputError("trace", str(path), "is not a file")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        there = sorted(file.name for file in path.parent.glob("openb_*.csv"))
        lists = f"; there are {', '.join(there)}" if there else ""
        problem = (
            f"cannot be read ({error.strerror}); give the folder that holds the openb files{lists}"
        )
        raise SchedulerInputError("trace", str(path), problem) from None
    except UnicodeDecodeError as error:
        raise SchedulerInputError("trace", str(path), f"is not text ({error.reason})") from None


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
    try:
        return Node(name, capacity, labels)
    except SchedulerInputError as error:
        raise error.inside(where) from None


def _pod(row: Row, where: str) -> Pod:
    requests = {
        CPU: _whole(row, "cpu_milli", where),
        MEMORY: _whole(row, "memory_mib", where) * MIB,
        GPU: _whole(row, "num_gpu", where) * _whole(row, "gpu_milli", where),
    }
    models = tuple(model for model in (row.get("gpu_spec") or "").split("|") if model)
    affinity = None
    if models:
        affinity = NodeAffinity([NodeSelectorTerm([Requirement(GPU_MODEL, "In", models)])])
    name, service = _text(row, "name", where), row.get("qos") or ""
    try:
        return Pod(name, requests=requests, labels={QOS: service}, node_affinity=affinity)
    except SchedulerInputError as error:
        raise error.inside(where) from None


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
