"""What the kernel counts of a path's traffic, and what that proves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cnbench.core.counted import Counted
from cnbench.core.proof import Check
from cnbench.experiments.pod_network.path import PodPath
from cnbench.network.devices import links
from cnbench.network.underlay import DEVICE
from cnbench.probes.traffic import End

_NOTHING_RECEIVED = links.LinkCounters(0, 0, 0)


@dataclass(frozen=True)
class Carried(Counted):
    """What the server's node received by the underlay, and what TCP sent again.

    Attributes:
        link: by the underlay's device.
        tunnel: by the tunnel's device, where the backend has one.
        retransmitted: TCP segments, by both ends.
    """

    link: links.LinkCounters = _NOTHING_RECEIVED
    tunnel: links.LinkCounters = _NOTHING_RECEIVED
    retransmitted: int = 0


def carried(path: PodPath) -> Carried:
    """The counters as they stand."""
    device = path.encapsulation.device
    node = path.server.namespace
    return Carried(
        links.received(node, DEVICE),
        links.received(node, device) if device else _NOTHING_RECEIVED,
        sum(_retransmitted(end) for end in path.ends),
    )


def _retransmitted(end: End) -> int:
    with end.namespace.entered():
        lines = Path("/proc/thread-self/net/snmp").read_text().splitlines()
    names, values = (line.split()[1:] for line in lines if line.startswith("Tcp:"))
    return int(dict(zip(names, values, strict=True))["RetransSegs"])


def checks_of_counters(path: PodPath, moved: Carried, delivered: int) -> list[Check]:
    """What the devices counted during the samples, beside the bytes delivered in them."""
    device = path.encapsulation.device
    checks = [_at_least(f"{DEVICE} of {path.server.namespace.name}", moved.link, delivered)]
    if device:
        checks.append(
            _at_least(f"{device} of {path.server.namespace.name}", moved.tunnel, delivered)
        )
    return checks


def _at_least(where: str, counted: links.LinkCounters, delivered: int) -> Check:
    return Check(
        f"bytes that {where} received during the samples",
        f"at least the {delivered} delivered",
        f"{counted.bytes} in {counted.packets} packets",
        counted.bytes >= delivered,
    )
