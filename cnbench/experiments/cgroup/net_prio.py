"""cgroup-net-prio: what does a packet cost whose priority comes from its cgroup?

The kernel gives a packet the priority that its sender's group has for the device it leaves by, for
a queueing discipline to read. Two processes send datagrams over loopback to a receiver that is told
the priority of each: one process is of a group that has it, the other of none.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from cnbench.core.experiment import Experiment
from cnbench.core.parameter import Point
from cnbench.experiments.cgroup import controller, having
from cnbench.lab.cgroups.marks import open_prioritised
from cnbench.lab.host import Lab
from cnbench.probes.marked_packets import METRICS, PACKETS, MarkedPackets, open_marked_packets


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[MarkedPackets]:
    """A group with its priority, a process inside and one outside."""
    with (
        lab.cgroup("net_prio", params.text("controller")) as group,
        open_marked_packets(open_prioritised(group), lab.clock, params.whole("packets")) as subject,
    ):
        yield subject


EXPERIMENT = Experiment(
    name="cgroup-net-prio",
    question="What does a packet cost whose priority comes from its cgroup?",
    parameters=(
        controller("v1; v2 has none", alone="v1"),
        PACKETS,
    ),
    metrics=METRICS,
    variant="controller",
    subject=open_subject,
    require=having("net_prio"),
    share=0.3,
)  # fmt: skip
