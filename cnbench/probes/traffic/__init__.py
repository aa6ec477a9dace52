"""Messages between two pods, one after the other, with both ends in one thread.

Over veth a packet is walked through every namespace within the sender's system call, up to the
receiver's socket; so the receiver's next call finds it there, nothing ever sleeps, no second CPU
takes part, and the time that passes is the CPU time of the whole path, softirq included. What
sleeps in spite of that is counted.
"""

from cnbench.probes.traffic.exchanges import TRAFFIC_KINDS
from cnbench.probes.traffic.loop import Exchanged, Loop
from cnbench.probes.traffic.metrics import COSTS, CPU_COST, LATENCY, MESSAGES, THROUGHPUT, costs
from cnbench.probes.traffic.sockets import CONGESTION_CONTROL, End
from cnbench.probes.traffic.traffic import Traffic

__all__ = [
    "CONGESTION_CONTROL",
    "COSTS",
    "CPU_COST",
    "LATENCY",
    "MESSAGES",
    "THROUGHPUT",
    "TRAFFIC_KINDS",
    "End",
    "Exchanged",
    "Loop",
    "Traffic",
    "costs",
]
