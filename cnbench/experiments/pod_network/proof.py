"""What a subject's samples add up to, and the proof of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from cnbench.core.proof import Check, Proof, equal
from cnbench.experiments.pod_network.counters import Carried, checks_of_counters
from cnbench.experiments.pod_network.observation import (
    check_overhead,
    checks_of_pass,
    observe,
)
from cnbench.experiments.pod_network.path import PodPath
from cnbench.probes import pcap
from cnbench.probes.cpu_time import CpuTime
from cnbench.probes.tap import Frame
from cnbench.probes.traffic import Loop

# How many packets a capture has.
_KEPT = 10


@dataclass
class TrafficTotals:
    """What a subject's samples have added up to, for its proof.

    Attributes:
        path: what they went by.
        offloads: ``on`` or ``off``, as asked for.
        size: bytes of a message.
        traffic: what a message is.
        exact: whether devices count during the samples what a wire would carry, and nothing else.
        carried: what the underlay carried meanwhile, by its counters.
        delivered: bytes of all messages.
        cpu: CPU time of all samples.
        seen: the first frames that the proof saw.
    """

    path: PodPath
    offloads: str
    size: int
    traffic: str
    exact: bool
    carried: Carried = field(default_factory=Carried)
    delivered: int = 0
    cpu: CpuTime = field(default_factory=CpuTime)
    seen: list[Frame] = field(default_factory=list)

    def add(self, carried: Carried, delivered: int, cpu: CpuTime) -> None:
        """Enter a sample."""
        self.carried += carried
        self.delivered += delivered
        self.cpu += cpu

    def proof(self, loop: Loop) -> Proof:
        """Configuration read back, counters over the samples, and what taps see of ``loop``.

        The taps are opened after the samples, since they cost time; and once more with all
        offloads off, since only then is what is seen on a device what a wire would carry.
        """
        topology = self.path.topology
        checks: list[Check] = [
            *self.path.backend.checks(topology),
            _check_offloads(self.offloads, topology.offloads_on()),
            *checks_of_counters(self.path, self.carried, self.delivered),
            _note_cpu(self.cpu),
        ]
        if self.exact:
            checks.append(
                self._check_overhead("in the samples", self.carried.link.bytes, self.delivered)
            )
        seen = observe(self.path, loop, self.size)
        self.seen = seen.frames[:_KEPT]
        checks += checks_of_pass(self.path, seen)
        topology.switch_offloads_off()
        cut = observe(self.path, loop, self.size)
        if self._data_is_told_apart:
            delivered = cut.messages * self.size
            checks.append(
                self._check_overhead("every packet cut to the MTU", cut.length, delivered)
            )
        return Proof(tuple(checks))

    @property
    def _data_is_told_apart(self) -> bool:
        """Whether frames with data differ from a connection's others on the underlay.

        Sealed, the packets that set a connection up and end it look like those with data.
        """
        return not (self.path.encapsulation.opaque and self.traffic == "tcp-crr")

    def _check_overhead(self, when: str, length: int, delivered: int) -> Check:
        protocol = self.traffic.partition("-")[0]
        return check_overhead(self.path, when, length, delivered, self.size, protocol)

    def capture(self) -> bytes:
        """The first packets of the proof's own pass, as a capture file's contents."""
        return pcap.encode(self.seen)


def _check_offloads(wanted: str, found_on: list[str]) -> Check:
    if wanted == "off":
        return equal("offloads that are on, on any device in the way", [], found_on)
    return Check("offloads as the devices come", "some on", f"{len(found_on)} on", bool(found_on))


def _note_cpu(spent: CpuTime) -> Check:
    shares = [
        f"{name} {part / spent.busy:.0%}" if spent.busy else f"{name} below a tick"
        for name, part in (
            ("user", spent.user),
            ("system", spent.system),
            ("softirq", spent.softirq),
        )
    ]
    return Check("CPU time of the samples by the kernel's account", "-", ", ".join(shares), True)
