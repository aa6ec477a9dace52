"""kube-proxy's iptables mode at work, through either front end of iptables."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from enum import StrEnum

from cnbench.lab.long_work import LongWork
from cnbench.proxy.family import Family
from cnbench.proxy.iptables import parts
from cnbench.proxy.iptables import program as iptables
from cnbench.proxy.iptables.counters import Rule, TableImage, packets, read_table
from cnbench.proxy.loader import LOAD_SECONDS, Counters, Known, Namespace
from cnbench.proxy.model import Service, ServiceKey, ServicePort, internal_endpoints
from cnbench.proxy.nftables.counters import open_rules
from cnbench.proxy.node import Node

# What each family's programs are called, before the front end.
TOOLS = {Family.IPV4: "iptables", Family.IPV6: "ip6tables"}
# Another restore on this machine holds iptables' lock, which all namespaces share.
LOCK_SECONDS = "60"
# Endpoints in each of the restores that fill a node through iptables-nft.
_FILL_BATCH = 2000

# The rules of a chain, by its name.
_Read = Callable[[str], Iterable[Rule]]


class FrontEnd(StrEnum):
    """Which iptables: the kernel's own tables, or their translation to nftables."""

    LEGACY = "legacy"
    NFT = "nft"


class IptablesProxy:
    """Programs services with ``iptables-restore --noflush --counters``, as kube-proxy does."""

    def __init__(
        self, namespace: Namespace, node: Node, work: LongWork, front_end: FrontEnd
    ) -> None:
        self._namespace = namespace
        self._node = node
        self._work = work
        self._front_end = front_end
        tool = f"{TOOLS[node.family]}-{front_end}-restore"
        self._restore = [tool, "--wait", LOCK_SECONDS, "--noflush"]
        self._known = Known()
        self._hooked = False
        self._announced: tuple[Collection[Service], iptables.Named] | None = None
        self._headers: dict[str, int] = {}
        self._seen: TableImage | None = None

    def _load(self, chunks: Iterable[str]) -> None:
        self._seen = None
        self._namespace.run([*self._restore, "--counters"], input=chunks, timeout=LOAD_SECONDS)
        self._hooked = True

    def _loading(self, services: Collection[Service]) -> AbstractContextManager[None]:
        count = len(services)
        return self._work.underway(f"{self._restore[0]} loads {count:,} services", count)

    def _chunks(
        self,
        services: Collection[Service],
        *,
        changed: Collection[ServiceKey] | None = None,
        stale: Iterable[str] = (),
        named: iptables.Named | None = None,
    ) -> Iterator[str]:
        return iptables.chunks(
            services,
            self._node,
            from_empty=not self._hooked,
            changed=changed,
            stale=stale,
            named=named,
        )

    def announce(self, services: Collection[Service]) -> None:
        """Name the services' chains, which the next `sync` of these services need not do then."""
        self._announced = services, iptables.named(services, self._node)

    def sync(self, services: Collection[Service]) -> None:
        """Program all services: kube-proxy's full sync, from empty or over what was there."""
        before = self._chains(self._known.all())
        stale = sorted(before - self._chains(services)) if before else ()
        named = None
        if self._announced and self._announced[0] is services:
            _, named = self._announced
        with self._loading(services):
            self._load(self._chunks(services, stale=stale, named=named))
        self._known.replace(services)

    def fill(self, services: Collection[Service]) -> None:
        """Program an empty namespace: as `sync` does, or through iptables-nft part by part."""
        if self._front_end is FrontEnd.LEGACY:
            self.sync(services)
            return
        every = list(services)
        for done, program in parts.parts(every, self._node, _FILL_BATCH):
            self._load([program])
            self._work.advanced("services", done, len(every))
        self._known.replace(every)

    def update(
        self, changed: Collection[Service] = (), deleted: Collection[ServiceKey] = ()
    ) -> None:
        """Program what has changed: kube-proxy's partial sync.

        Chains no longer used are deleted in the same restore. kube-proxy finds them with a full
        ``iptables-save``, in clusters of more than 1,000 endpoints once an hour only.
        """
        replaced = self._known.change(changed, deleted)
        chunks = self._chunks(
            self._known.all(),
            changed={service.key for service in changed},
            stale=sorted(self._chains(replaced) - self._chains(changed)),
        )
        self._load(chunks)

    @staticmethod
    def _chains(services: Collection[Service]) -> set[str]:
        return {chain for service in services for chain in iptables.chains_of(service)}

    def watch(self, *services: Service) -> None:
        """Do nothing: every iptables rule has counters of its own."""

    @property
    def looks_long(self) -> bool:
        """Whether the kernel hands out counters with the whole table alone."""
        return self._front_end is FrontEnd.LEGACY

    def passed(self, services: Collection[Service]) -> int:
        """Sum the packets of the chains that spread what comes to services' cluster IPs."""
        with self._reader() as read:
            return _passed(read, services)

    def passed_before(self, services: Collection[Service]) -> int:
        """Sum the same packets as the last look at the table found them."""
        return _passed(self._seen.rules, services) if self._seen else self.passed(services)

    def counters(self, service: Service, port: ServicePort) -> Counters:
        """Read the packets of a port's own chain and of its endpoints' KUBE-SEP chains."""
        return self.counters_of([(service, port)])[0]

    def counters_of(self, ports: Sequence[tuple[Service, ServicePort]]) -> list[Counters]:
        """Read the packets of several ports' chains, all in one look."""
        with self._reader() as read:
            return [_counters(read, service, port) for service, port in ports]

    @contextlib.contextmanager
    def _reader(self) -> Iterator[_Read]:
        with self._namespace.entered():
            if self.looks_long:
                self._seen = read_table("nat", self._node.family, self._headers)
                yield self._seen.rules
            else:
                with open_rules("nat", self._node.family) as reader:
                    yield reader.rules

    def clear(self) -> None:
        """Flush the filter and nat tables of the namespace."""
        self._seen = None
        self._namespace.run(self._restore[:-1], input=iptables.EMPTY_PROGRAM)
        self._known.replace(())
        self._announced = None
        self._hooked = False


def _passed(read: _Read, services: Collection[Service]) -> int:
    return sum(
        packets(read(iptables.internal_chain(service, port)), "KUBE-SEP-")
        for service in services
        for port in service.ports
        if internal_endpoints(service, port)
    )


def _counters(read: _Read, service: Service, port: ServicePort) -> Counters:
    passed = packets(read(iptables.internal_chain(service, port)), "KUBE-SEP-")
    return Counters(
        passed,
        {
            str(endpoint): packets(read(iptables.endpoint_chain(service, port, endpoint)), "DNAT")
            for endpoint in internal_endpoints(service, port)
        },
    )
