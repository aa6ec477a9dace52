"""pod-network: what does it cost to send between pods, by the backend that joins their nodes?

``load=loop`` sends one message after the other with both ends in one thread, so that the time that
passes is the CPU time of the whole path, softirq included; it works on both clocks. Its throughput
is that of one processor doing everything. ``load=iperf3`` streams between two processes, each node
on a processor of its own where there are two, for wall time alone; its CPU cost is the whole
machine's, and its latency is that of small datagrams beside another stream. All devices are veth:
there is no network card in any of this.
"""

from __future__ import annotations

from cnbench.core.errors import UnsupportedError
from cnbench.core.experiment import Experiment
from cnbench.core.parameter import Point
from cnbench.experiments.pod_network.grid import PARAMETERS, nonsense, setups_of, soon_counted
from cnbench.experiments.pod_network.subject import METRICS, open_subject
from cnbench.lab import commands
from cnbench.lab.host import Lab
from cnbench.lab.refusal import asked_once
from cnbench.network.backend import backend_called


def _require(params: Point, lab: Lab) -> None:
    if params["load"] == "iperf3":
        commands.require("iperf3")
        if lab.clock.name == "instructions":
            raise UnsupportedError(
                "iperf3 waits for its other process, which takes time but no instructions",
                "use load=loop, or --clock wall",
            )
    if params["routing"] == "bird":
        commands.require("bird")
    lab.require_namespaces()
    _require_backend(params.text("backend"), lab)


@asked_once
def _require_backend(backend: str, lab: Lab) -> None:
    backend_called(backend).require(lab)


_CAVEAT = (
    "No NIC: all devices are veth. With offloads on they hand over buffers of up to 64 KiB that are"
    " never cut into packets, which hides most of what a tunnel costs a packet; with offloads off"
    " every packet pays its own way, as behind a network card that cannot help."
)

EXPERIMENT = Experiment(
    name="pod-network",
    question="What does traffic between pods cost, by the backend that joins their nodes?",
    parameters=PARAMETERS,
    metrics=METRICS,
    variant="backend",
    beside=("pods",),
    subject=open_subject,
    require=_require,
    nonsense=nonsense,
    soon=soon_counted,
    tools=("iperf3", "bird"),
    setups=setups_of,
    caveat=_CAVEAT,
)
