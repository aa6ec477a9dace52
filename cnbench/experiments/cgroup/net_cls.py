"""cgroup-net-cls: what does a packet cost whose cgroup's class somebody asks for?

The kernel marks every socket with the class of its maker's group, for tc's cgroup filter and the
rules of iptables and nftables to read. Two processes send datagrams over loopback in a network
namespace of our own, past one of them: a rule that counts the class, or the filter, which hands it
to a band of its own. One process is of a group that has the class, one of none.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from cnbench.core.experiment import Experiment
from cnbench.core.parameter import Parameter, Point
from cnbench.experiments.cgroup import controller
from cnbench.lab import commands
from cnbench.lab.cgroups import hierarchies
from cnbench.lab.cgroups.class_readers import READERS
from cnbench.lab.cgroups.marks import open_classified
from cnbench.lab.host import Lab
from cnbench.lab.refusal import asked_once
from cnbench.probes.marked_packets import METRICS, PACKETS, MarkedPackets, open_marked_packets


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[MarkedPackets]:
    """A group with its class, a process inside and one outside."""
    with (
        lab.cgroup("net_cls", params.text("controller")) as group,
        lab.network_namespace("packets") as namespace,
        open_marked_packets(
            open_classified(group, namespace, READERS[params.text("reader")]),
            lab.clock,
            params.whole("packets"),
        ) as subject,
    ):
        yield subject


def _require(params: Point, lab: Lab) -> None:
    hierarchies.require("net_cls", params.text("controller"))
    reader = READERS[params.text("reader")]
    commands.require(reader.name)
    lab.require_namespaces()
    _require_reader(reader.name, lab)


@asked_once
def _require_reader(name: str, lab: Lab) -> None:
    """Raise UnsupportedError where this kernel lacks what the reader takes: one is set up."""
    with lab.network_namespace("trial") as namespace:
        READERS[name].set_up(namespace)


EXPERIMENT = Experiment(
    name="cgroup-net-cls",
    question="What does a packet cost whose cgroup's class somebody asks for?",
    parameters=(
        controller("v1; v2 has none", alone="v1"),
        Parameter(
            "reader", "who asks for the class: a rule of nftables, or tc's cgroup filter",
            quick=("nft",), full=tuple(READERS), choices=tuple(READERS),
        ),
        PACKETS,
    ),
    metrics=METRICS,
    variant="controller",
    subject=open_subject,
    require=_require,
    tools=("nft", "tc"),
    share=0.3,
)  # fmt: skip
