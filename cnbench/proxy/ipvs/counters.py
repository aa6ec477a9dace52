"""What IPVS has counted: at once for a whole namespace, and of each server when it is summed up."""

from __future__ import annotations

from pathlib import Path
from time import monotonic, sleep
from typing import Any

from cnbench.core.errors import ProofError, ServiceError
from cnbench.proxy.family import Family, joined
from cnbench.proxy.ipvs import messages
from cnbench.proxy.loader import Counters
from cnbench.proxy.model import Service, ServicePort

# /proc/net would be that of the process, not of the thread that is in the namespace.
_BY_CPU = Path("/proc/thread-self/net/ip_vs_stats_percpu")
_TOTAL = Path("/proc/thread-self/net/ip_vs_stats")
_HEADING_LINES = 2
_LATEST_SECONDS = 60
_LOOK_AGAIN_SECONDS = 0.1
_ROUND_SECONDS = 2.2


def passed() -> int:
    """Sum the connections that each CPU has counted in the calling thread's namespace.

    The row that sums them is as late as all statistics.
    """
    rows = [line.split() for line in _BY_CPU.read_text().splitlines()[_HEADING_LINES:]]
    every_column = 6
    return sum(int(row[1], 16) for row in rows if len(row) == every_column and row[0] != "~")


class Statistics:
    """The servers' own counts in one namespace, read once the kernel has summed them up."""

    def __init__(self) -> None:
        self._settled = 0

    def read(self, service: Service, port: ServicePort, family: Family) -> Counters:
        """Read the connections of a port's virtual server and of the real ones behind it.

        In the calling thread's namespace.

        Raises:
            ServiceError: there is no such server.
            ProofError: the counters stand still.
        """
        from pyroute2 import IPVS, IPVSService, NetlinkError

        key = IPVSService(
            af=family.number,
            addr=service.cluster_ip,
            port=port.port,
            protocol=messages.PROTOCOLS[port.protocol],
        )
        try:
            with IPVS() as opened:
                self.settle()
                (found,) = opened.service("get", service=key)
                dests = list(opened.dest("dump", service=key))
        except NetlinkError as error:
            raise ServiceError(f"service {service.port_name(port)}: no virtual server") from error
        return Counters(
            _connections(found.get_attr("IPVS_CMD_ATTR_SERVICE"), "SVC"),
            {_real_server(dest): _connections(dest, "DEST") for dest in map(_dest, dests)},
        )

    def settle(self) -> None:
        """Wait until the kernel has summed up what has passed since the last reading.

        A server's statistics are brought up to date by an estimator that visits each every two
        seconds, the namespace's own among them (net/netfilter/ipvs/ip_vs_est.c). The per-CPU totals
        are right at once: they tell whether there is anything to wait for.

        Raises:
            ProofError: it has not, within a minute.
        """
        total = passed()
        if total == self._settled:
            return
        deadline = monotonic() + _LATEST_SECONDS
        while _estimated() != total:
            if monotonic() > deadline:
                raise ProofError(f"IPVS has not summed up its statistics in {_LATEST_SECONDS} s")
            sleep(_LOOK_AGAIN_SECONDS)
            total = passed()
        sleep(_ROUND_SECONDS)
        self._settled = total


def _estimated() -> int:
    return int(_TOTAL.read_text().splitlines()[_HEADING_LINES].split()[0], 16)


def _dest(message: Any) -> Any:
    return message.get_attr("IPVS_CMD_ATTR_DEST")


def _connections(attributes: Any, kind: str) -> int:
    statistics = attributes.get_attr(f"IPVS_{kind}_ATTR_STATS64")
    return int(statistics.get_attr("IPVS_STATS_ATTR_CONNS"))


def _real_server(dest: Any) -> str:
    address, port = (dest.get_attr(f"IPVS_DEST_ATTR_{name}") for name in ("ADDR", "PORT"))
    return joined(address, port)
