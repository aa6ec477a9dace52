"""kube-proxy's IPVS mode at work."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from cnbench.core.errors import UnsupportedError, UsageError
from cnbench.lab.long_work import LongWork
from cnbench.proxy.iptables.loader import LOCK_SECONDS, TOOLS
from cnbench.proxy.iptables.program import EMPTY_PROGRAM
from cnbench.proxy.ipvs import messages
from cnbench.proxy.ipvs import program as ipvs
from cnbench.proxy.ipvs import rules as ipvs_rules
from cnbench.proxy.ipvs.counters import Statistics, passed
from cnbench.proxy.loader import LOAD_SECONDS, Counters, Known, Namespace
from cnbench.proxy.model import Service, ServiceKey, ServicePort
from cnbench.proxy.netlink import NetlinkRequest, send_all
from cnbench.proxy.node import Node

_NETLINK_GENERIC = 16
_ENTRIES_A_CHUNK = 2000
_REMEDY = "load the modules ip_vs, ip_vs_rr and dummy, or run in the guest lab: --lab guest"


class IpvsProxy:
    """Programs services over netlink, in batches, with the sets and iptables rules beside them.

    kube-proxy makes every virtual server by a request of its own, and every set entry by a
    process of its own; what the kernel holds afterwards is the same.
    """

    def __init__(
        self, namespace: Namespace, node: Node, work: LongWork, scheduler: str = "rr"
    ) -> None:
        if scheduler not in ipvs.SCHEDULERS:
            known = ", ".join(ipvs.SCHEDULERS)
            raise UsageError(f"no IPVS scheduler '{scheduler}'; there are {known}")
        self._namespace = namespace
        self._node = node
        self._scheduler = scheduler
        self._work = work
        self._restore = [f"{TOOLS[node.family]}-legacy-restore", "--wait", LOCK_SECONDS]
        self._known = Known()
        self._used: Counter[ipvs.Entry] = Counter()
        self._filled: Counter[str] = Counter()
        self._blocked: dict[ipvs.BlockedAddress, None] = {}
        self._statistics = Statistics()
        self._family = 0
        self._device = 0

    def announce(self, services: Collection[Service]) -> None:
        """Do nothing: everything is done in the sync."""

    def sync(self, services: Collection[Service]) -> None:
        """Program all services: kube-proxy's full sync, from empty or over what was there."""
        wanted = {service.key for service in services}
        programmed = [service.key for service in self._known.all()]
        self.update(services, [key for key in programmed if key not in wanted])

    def fill(self, services: Collection[Service]) -> None:
        """Program an empty namespace: as `sync` does."""
        self.sync(services)

    def update(
        self, changed: Collection[Service] = (), deleted: Collection[ServiceKey] = ()
    ) -> None:
        """Program what has changed.

        kube-proxy looks at every service at each sync in this mode; here the change is known.
        """
        replaced = self._known.change(changed, deleted)
        before, after = ipvs.plan(replaced, self._node), ipvs.plan(changed, self._node)
        new, gone = self._count(before, after)
        rules = ipvs_rules.program(set(self._filled), self._blocked, self._node)
        self._load(before, after)
        self._bind(new)
        self._fill_sets(new, gone)
        self._namespace.run([*self._restore, "--noflush", "--counters"], input=rules)
        self._bind(gone, delete=True)

    def _count(
        self, before: ipvs.IpvsPlan, after: ipvs.IpvsPlan
    ) -> tuple[list[ipvs.Entry], list[ipvs.Entry]]:
        """Give the entries that nothing used before, and those that nothing uses any more."""
        new = [entry for entry in after.entries if entry not in self._used]
        self._used.update(after.entries)
        self._used.subtract(before.entries)
        gone = [entry for entry in before.entries if not self._used[entry]]
        for entry in gone:
            del self._used[entry]
        self._filled.update(entry.name for entry in new)
        self._filled.subtract(entry.name for entry in gone)
        self._filled = +self._filled
        kept = {blocked: None for blocked in self._blocked if blocked not in before.blocked}
        self._blocked = kept | after.blocked
        return new, gone

    def _load(self, before: ipvs.IpvsPlan, after: ipvs.IpvsPlan) -> None:
        """Turn the virtual servers of one plan into those of another."""
        self._prepare()
        with self._namespace.entered():
            requests = list(self._requests(before, after))
            self._send(_NETLINK_GENERIC, requests, "servers, virtual and real")

    def _requests(self, before: ipvs.IpvsPlan, after: ipvs.IpvsPlan) -> Iterator[NetlinkRequest]:
        family, scheduler = self._family, self._scheduler
        new = (server for at, server in after.servers.items() if at not in before.servers)
        gone = (at for at in before.servers if at not in after.servers)
        yield from messages.deletions(family, gone)
        yield from messages.additions(family, new, scheduler)
        for at, server in after.servers.items():
            if at in before.servers and before.servers[at] != server:
                yield from messages.changes(family, before.servers[at], server, scheduler)

    def _bind(self, entries: Iterable[ipvs.Entry], *, delete: bool = False) -> None:
        addresses = ipvs.bound_addresses(entries)
        with self._namespace.entered():
            requests = messages.address_requests(self._device, addresses, delete=delete)
            self._send(socket.NETLINK_ROUTE, list(requests), "addresses")

    def _send(self, protocol: int, requests: list[NetlinkRequest], what: str) -> None:
        total = len(requests)
        send_all(protocol, requests, lambda done: self._work.advanced(what, done, total))

    def _fill_sets(self, new: Sequence[ipvs.Entry], gone: Sequence[ipvs.Entry]) -> None:
        """Put entries into the sets and take others out of them."""
        if new or gone:
            program = self._entries_program(new, gone)
            self._namespace.run(["ipset", "restore"], input=program, timeout=LOAD_SECONDS)

    def _entries_program(
        self, new: Sequence[ipvs.Entry], gone: Sequence[ipvs.Entry]
    ) -> Iterator[str]:
        yield ipvs.entries_program(gone, self._node.family, "del")
        for start in range(0, len(new), _ENTRIES_A_CHUNK):
            self._work.advanced("set entries", start, len(new))
            yield ipvs.entries_program(new[start : start + _ENTRIES_A_CHUNK], self._node.family)

    def _prepare(self) -> None:
        """Make, once, what all services share: device, sets, chains and sysctls."""
        if self._device:
            return
        with self._namespace.entered():
            self._family = _ipvs_family()
            for name, value in ipvs.sysctls(self._node.family).items():
                Path("/proc/sys", name).write_text(str(value))
            self._device = _dummy_device()
        self._namespace.run(["ipset", "restore"], input=ipvs.creation_of_sets(self._node.family))
        self._namespace.run([*self._restore, "--noflush"], input=ipvs_rules.base_program())

    def watch(self, *services: Service) -> None:
        """Do nothing: IPVS counts the connections of every virtual and real server."""

    @property
    def looks_long(self) -> bool:
        """It is quick at any size."""
        return False

    def passed(self, services: Collection[Service]) -> int:
        """Sum the connections of every virtual server, by each CPU's own count."""
        with self._namespace.entered():
            return passed()

    def passed_before(self, services: Collection[Service]) -> int:
        """Look anew: the sum is quickly read."""
        return self.passed(services)

    def counters_of(self, ports: Sequence[tuple[Service, ServicePort]]) -> list[Counters]:
        """Read the connections of several ports' virtual servers; errors as for `counters`."""
        return [self.counters(service, port) for service, port in ports]

    def counters(self, service: Service, port: ServicePort) -> Counters:
        """Read the connections of a port's virtual server and of the real ones behind it.

        Takes up to five seconds where there were any in the namespace since the last reading.

        Raises:
            ServiceError: there is no such server.
            ProofError: the counters stand still.
        """
        with self._namespace.entered():
            return self._statistics.read(service, port, self._node.family)

    def clear(self) -> None:
        """Take the virtual servers, the device, the rules and the sets out of the namespace."""
        if self._device:
            with self._namespace.entered():
                at = ipvs.plan(self._known.all(), self._node).servers
                send_all(_NETLINK_GENERIC, messages.deletions(self._family, at))
                if Path("/proc/thread-self/net/dev").read_text().count(f"{ipvs.DEVICE}:"):
                    self._namespace.run(["ip", "link", "delete", ipvs.DEVICE])
            self._namespace.run(self._restore, input=EMPTY_PROGRAM)
            self._namespace.run(["ipset", "restore"], input=ipvs.removal_of_sets(self._node.family))
        self._known.replace(())
        self._used.clear()
        self._filled.clear()
        self._blocked = {}
        self._device = 0


def program(services: Collection[Service], node: Node, scheduler: str = "rr") -> str:
    """Write IPVS mode's program to be read: each part is what one tool takes on its input."""
    planned = ipvs.plan(services, node)
    filled = {entry.name for entry in planned.entries}
    bound = "".join(
        f"{address}/{node.family.host_bits} dev {ipvs.DEVICE}\n"
        for address in ipvs.bound_addresses(planned.entries)
    )
    sysctls = "".join(
        f"{name.replace('/', '.')} = {value}\n" for name, value in ipvs.sysctls(node.family).items()
    )
    sets = ipvs.creation_of_sets(node.family)
    sets += ipvs.entries_program(planned.entries, node.family)
    return "\n".join(
        (
            f"# sysctl -p -\n{sysctls}",
            f"# ip address add\n{bound}",
            f"# ipvsadm -R\n{ipvs.ipvsadm_program(planned, scheduler)}",
            f"# ipset restore\n{sets}",
            f"# {TOOLS[node.family]}-restore --noflush --counters\n"
            f"{ipvs_rules.program(filled, planned.blocked, node)}",
        )
    )


def _ipvs_family() -> int:
    from pyroute2 import IPVS, NetlinkError

    try:
        with IPVS() as opened:
            return int(opened.prid)
    except NetlinkError as error:
        raise UnsupportedError("the kernel has no IPVS", _REMEDY) from error


def _dummy_device() -> int:
    """Give the device that holds the addresses, of both families; made where it is not there yet.

    It stays down, as kube-proxy leaves it.
    """
    from pyroute2 import IPRoute, NetlinkError

    try:
        with IPRoute() as route:
            if not route.link_lookup(ifname=ipvs.DEVICE):
                route.link("add", ifname=ipvs.DEVICE, kind="dummy")
    except NetlinkError as error:
        raise UnsupportedError("the kernel has no dummy network device", _REMEDY) from error
    return socket.if_nametoindex(ipvs.DEVICE)
