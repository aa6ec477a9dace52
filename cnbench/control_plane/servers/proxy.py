"""kube-proxy in iptables mode, beside an API server: its rules are the enclave's."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from cnbench.control_plane.servers import daemon
from cnbench.control_plane.servers.api_server import URL
from cnbench.control_plane.servers.audit import nanoseconds
from cnbench.control_plane.servers.certificates import MASTERS
from cnbench.control_plane.servers.daemon import Daemon
from cnbench.control_plane.servers.plane import Plane
from cnbench.control_plane.servers.requests import ask

PROXY = "kube-proxy"
PODS = "10.244.0.0/16"
_PORT, _HEALTH = 10249, 10256
# A line of klog's: I, month and day, time, process, place, message.
_SYNCED = re.compile(
    r"^I(\d\d)(\d\d) (\d\d:\d\d:\d\d\.\d{6}) .*\] syncProxyRules took (\S+)$", re.MULTILINE
)
_PART = re.compile(r"([\d.]+)(h|ms|m|s|µs|ns)")
_UNITS = {"h": 3600e9, "m": 60e9, "s": 1e9, "ms": 1e6, "µs": 1e3, "ns": 1}


@dataclass(frozen=True)
class Sync:
    """One sync of all rules: when it began and ended, in ns of CLOCK_REALTIME."""

    began: int
    ended: int


@dataclass(frozen=True)
class Proxy:
    """A kube-proxy that answers. Use ``start_proxy``."""

    plane: Plane
    daemon: Daemon

    def syncs(self) -> list[Sync]:
        """All syncs of its rules so far, as it has logged them."""
        return syncs(self.daemon.log.read_text(errors="replace"), time.gmtime().tm_year)

    def figures(self) -> str:
        """What it counts and times of itself, in Prometheus' text format; raises CnbenchError."""
        return ask(self.plane.enclave.network, _PORT, "/metrics")[1].decode()


def start_proxy(plane: Plane, node: str) -> Proxy:
    """kube-proxy for the node of that name, with its defaults; it ends with the enclave.

    What it would set of the whole machine's (how many connections are tracked) it leaves alone.

    Raises:
        UnsupportedError: there is no such program.
        CnbenchError: it does not answer.
    """
    pair = plane.certificates.client(f"system:{PROXY}", MASTERS)
    argv = [
        plane.binaries.path(PROXY), f"--kubeconfig={plane.certificates.kubeconfig(URL, pair)}",
        "--proxy-mode=iptables", f"--hostname-override={node}", f"--cluster-cidr={PODS}",
        "--bind-address=127.0.0.1", f"--metrics-bind-address=127.0.0.1:{_PORT}",
        f"--healthz-bind-address=127.0.0.1:{_HEALTH}", "--conntrack-max-per-core=0",
        "--conntrack-tcp-timeout-established=0s", "--conntrack-tcp-timeout-close-wait=0s", "--v=2",
    ]  # fmt: skip
    network = plane.enclave.network

    def answers() -> bool:
        """Whether it has programmed what there is: it is healthy from its first sync on."""
        return ask(network, _HEALTH, "/healthz")[0] == 200

    running = daemon.start(plane.enclave, plane.folder, argv, answers, {"TZ": "UTC"})
    return Proxy(plane, running)


def syncs(log: str, year: int) -> list[Sync]:
    """The syncs of a log of that ``year``, whose times are UTC: each is logged as it ends."""
    found = []
    for month, day, at, took in _SYNCED.findall(log):
        ended = nanoseconds(f"{year}-{month}-{day}T{at}Z")
        found.append(Sync(ended - _duration(took), ended))
    return found


def _duration(text: str) -> int:
    """A duration as Go writes it (1m2.5s, 12.3ms), in ns."""
    return round(sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text)))
