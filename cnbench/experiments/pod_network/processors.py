"""Where the work of a stream between two processes is done, and by whom.

Each node has a processor of its own where there are two: its process runs there, and what its
underlay device receives is worked on there. Routers between them have none of their own: a packet
is walked through those by the processor that sent it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cnbench.core.counted import Counted
from cnbench.core.metric import Metric
from cnbench.core.proof import Check
from cnbench.experiments.pod_network.path import PodPath
from cnbench.network.devices.steering import receive_on, steered_to
from cnbench.network.underlay import DEVICE
from cnbench.probes.cpu_time import CpuTime, cpu_time

# Sampled by the kernel in ticks of 10 ms, some may be zero.
_SENDING, _RECEIVING, _USER, _SYSTEM, _SOFTIRQ = CPU_PARTS = tuple(
    Metric(f"cpu_{name}", "s/B", "lower", "additive", f"of that, {what}")
    for name, what in (
        ("sending", "on the processor of the node that sends"),
        ("receiving", "on the processor of the node that receives"),
        ("user", "in programs"),
        ("system", "in the kernel for a program"),
        ("softirq", "in the kernel for the network, interrupts included"),
    )
)


@dataclass(frozen=True)
class Spent(Counted):
    """CPU time of the whole machine, and of each node's processor where it has its own."""

    machine: CpuTime
    sending: CpuTime
    receiving: CpuTime


class Processors:
    """The processors of a path's two nodes; nodes that share one cannot be told apart."""

    def __init__(self, path: PodPath, sending: int, receiving: int) -> None:
        self._sending = sending
        self._receiving = receiving
        if self.apart:
            receive_on(path.client.namespace, DEVICE, sending)
            receive_on(path.server.namespace, DEVICE, receiving)
            self._handed_over = steered_to(receiving)

    @property
    def apart(self) -> bool:
        """Whether each node has a processor of its own."""
        return self._sending != self._receiving

    def spent(self) -> Spent:
        """CPU time since the machine was started."""
        return Spent(cpu_time(), cpu_time(self._sending), cpu_time(self._receiving))

    def parts(self, spent: Spent, delivered: int) -> Mapping[str, float]:
        """``CPU_PARTS`` of a sample; without those of the nodes where they share a processor."""
        parts = {
            _USER.name: spent.machine.user,
            _SYSTEM.name: spent.machine.system,
            _SOFTIRQ.name: spent.machine.softirq,
        }
        if self.apart:
            parts[_SENDING.name] = spent.sending.busy
            parts[_RECEIVING.name] = spent.receiving.busy
        return {name: seconds / delivered for name, seconds in parts.items()}

    def check(self) -> Check:
        """That the receiving node did its work on its own processor."""
        if not self.apart:
            return Check(
                "processors", "-", f"both nodes share processor {self._sending}: there is one", True
            )
        handed_over = steered_to(self._receiving) - self._handed_over
        return Check(
            f"packets handed from the sending node's processor ({self._sending}) to the receiving "
            f"node's ({self._receiving})",
            "at least once",
            f"{handed_over} times",
            handed_over > 0,
        )
