"""cgroup-net-cls: what does a packet cost whose cgroup's class a firewall rule asks for?

The kernel marks every socket with the class of its maker's group, for tc's cgroup filter and the
rules of iptables and nftables to read. Two processes send datagrams over loopback in a network
namespace of our own, past a rule that counts the class: one of a group that has it, one of none.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from cnbench.core.experiment import Experiment
from cnbench.core.parameter import Point
from cnbench.experiments.cgroup import controller
from cnbench.lab import commands
from cnbench.lab.cgroups import hierarchies
from cnbench.lab.cgroups.marks import open_classified
from cnbench.lab.host import Lab
from cnbench.probes.marked_packets import METRICS, PACKETS, MarkedPackets, open_marked_packets


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[MarkedPackets]:
    """A group with its class, a process inside and one outside."""
    with (
        lab.cgroup("net_cls", params.text("controller")) as group,
        lab.network_namespace("packets") as namespace,
        open_marked_packets(
            open_classified(group, namespace), lab.clock, params.whole("packets")
        ) as subject,
    ):
        yield subject


def _require(params: Point, lab: Lab) -> None:
    hierarchies.require("net_cls", params.text("controller"))
    commands.require("nft")
    lab.require_namespaces()


EXPERIMENT = Experiment(
    name="cgroup-net-cls",
    question="What does a packet cost whose cgroup's class a firewall rule asks for?",
    parameters=(
        controller("v1; v2 has none", alone="v1"),
        PACKETS,
    ),
    metrics=METRICS,
    variant="controller",
    subject=open_subject,
    require=_require,
    tools=("nft",),
    share=0.3,
)  # fmt: skip
