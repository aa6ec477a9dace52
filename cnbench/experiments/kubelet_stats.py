"""kubelet-stats: what does it cost to read the statistics of all containers of a node?

The kubelet does it every ten seconds, and for whoever asks. Over the CRI it is one call, for which
containerd asks the shim of each container, which reads its cgroups; in cAdvisor's way the kubelet
reads their files itself. ``read`` is the time of either for all containers, ``cpu`` what it takes
of everybody who works for it: the shims and containerd, or the reader.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cnbench.containers import statistics
from cnbench.containers.containerd import SHIM
from cnbench.core.experiment import Experiment, never_soon_counted
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal
from cnbench.experiments.container_start.grid import CRI as OVER_THE_CRI
from cnbench.experiments.container_start.subject import require_runtime
from cnbench.experiments.pleg.subject import Node, open_node
from cnbench.lab.host import Lab

CRI, FILES = "cri", "cadvisor"
_WORKERS = ("containerd", SHIM)


@dataclass
class Reading:
    """The statistics of all containers are read a sample.

    Attributes:
        way: over the CRI, or from files.
        groups: the cgroups of each container, by its number.
        files: those that are read in cAdvisor's way.
        told: how many containers there were statistics of.
        agreed: whether each had the same CPU time either way.
    """

    lab: Lab
    node: Node
    way: str
    groups: Mapping[str, tuple[Path, ...]]
    files: list[str]
    told: set[int] = field(default_factory=set)
    agreed: set[bool] = field(default_factory=set)

    def sample(self) -> Mapping[str, float]:
        """The time of reading once, and the CPU time of it."""
        took, cpu = self._over_the_cri() if self.way == CRI else self._from_files()
        self._compare()
        units = self.lab.clock.units
        values = {"read": units(took), "one": units(took / len(self.groups)), "cpu": units(cpu)}
        return values if self.way == CRI else values | {"files": float(len(self.files))}

    def _over_the_cri(self) -> tuple[int, int]:
        cri = self.node.pods.cri
        before = self._cpu_of_workers()
        called = cri.call("ListContainerStats")
        return called.took, self._cpu_of_workers() - before

    def _cpu_of_workers(self) -> int:
        return int(self.node.pods.cri.daemon.enclave.do("cpu_time_of_programs", _WORKERS))

    def _from_files(self) -> tuple[int, int]:
        began, cpu = self.lab.clock.ticks(), time.thread_time_ns()
        statistics.read_all(self.files)
        return self.lab.clock.ticks() - began, time.thread_time_ns() - cpu

    def _compare(self) -> None:
        """Hold what the runtime says of each container against its groups' own account."""
        listed = self.node.pods.cri.call("ListContainerStats").said.get("stats", [])
        said = {
            one["attributes"]["id"]: int(one["cpu"]["usage_core_nano_seconds"]["value"])
            for one in listed
        }
        self.told.add(len(said))
        counted = {name: statistics.cpu_time(groups) for name, groups in self.groups.items()}
        self.agreed.add(said == counted)

    def proof(self) -> Proof:
        """All containers were told of, and the runtime's figures are those of their groups."""
        return Proof(
            (
                equal("containers that there are statistics of", {len(self.groups)}, self.told),
                equal("the same CPU time by the runtime and by files", {True}, self.agreed),
            )
        )


@contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[Reading]:
    """A node with the pods of a point."""
    count = params.whole("pods")
    node = lab.fixture(("node", count), lambda: open_node(lab, count))
    enclave = node.pods.cri.daemon.enclave
    groups = {one.name: tuple(enclave.groups_of(one.name)) for one in node.living}
    files = [file for each in groups.values() for file in statistics.files_of(each)]
    yield Reading(lab, node, params.text("way"), groups, files)


def require(params: Point, lab: Lab) -> None:
    """Raise UnsupportedError where the runtime, or what it needs, is not there."""
    require_runtime(OVER_THE_CRI, lab)


EXPERIMENT = Experiment(
    name="kubelet-stats",
    question="What does it cost to read the statistics of all containers of a node?",
    parameters=(
        Parameter(
            "way", "a call of the CRI, or the files of cgroups in cAdvisor's way",
            quick=(CRI, FILES), full=(CRI, FILES), choices=(CRI, FILES),
        ),
        Parameter(
            "pods", "pods of one container each on the node", quick=(10,), full=(1, 10, 50, 200),
            whole=True, minimum=1, maximum=200,
        ),
    ),
    metrics=(
        Metric("read", "s", "lower", "ratio", "time of reading the statistics of all containers"),
        Metric("one", "s", "lower", "ratio", "of that, for one container"),
        Metric("cpu", "s", "lower", "ratio", "CPU time of all who work for one reading"),
        Metric("files", "", "lower", "ratio", "files that are read"),
    ),
    variant="way",
    subject=open_subject,
    require=require,
    soon=never_soon_counted,
    tools=("busybox", "runc", "containerd"),
    share=0.5,
    caveat="cAdvisor is Go; here the files are read by Python, and nothing of them is parsed.",
)  # fmt: skip
