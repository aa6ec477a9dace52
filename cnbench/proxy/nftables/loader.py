"""kube-proxy's nftables mode at work."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from time import monotonic

from cnbench.core.errors import ServiceError
from cnbench.lab.long_work import LongWork
from cnbench.proxy.batches import batches, endpoints_of
from cnbench.proxy.loader import LOAD_SECONDS, Counters, Known, Namespace
from cnbench.proxy.model import Service, ServiceKey, ServicePort, internal_endpoints
from cnbench.proxy.netlink import send_transaction
from cnbench.proxy.nftables import program as nftables
from cnbench.proxy.nftables import spread
from cnbench.proxy.nftables.counters import RuleReader, open_rules
from cnbench.proxy.nftables.dialect import TABLE_NAME, dialect_of
from cnbench.proxy.node import Node

_NFT = ("nft", "-f", "-")
# Endpoints in a transaction. nft takes some 20 KiB for a service, and lists all chains each time.
_FILL_BATCH = 5000
# Here the kernel looks through the transaction so far, and at its end through the whole table.
_SPREAD_BATCH = 1000
# How long kube-proxy waits before it deletes a chain that has lost its last map element.
_STALE_SECONDS = 1.0


class NftablesProxy:
    """Programs services with ``nft -f -``, as kube-proxy does."""

    def __init__(self, namespace: Namespace, node: Node, work: LongWork) -> None:
        self._namespace = namespace
        self._node = node
        self._table = dialect_of(node).table
        self._work = work
        self._known = Known()
        self._stale: dict[str, float] = {}

    def _load(self, program: str | Iterable[str]) -> None:
        self._namespace.run(_NFT, input=program, timeout=LOAD_SECONDS)

    def announce(self, services: Collection[Service]) -> None:
        """Do nothing: everything is done in the sync."""

    def sync(self, services: Collection[Service]) -> None:
        """Program all services: kube-proxy's full sync, from empty or over what was there."""
        before = self._owned(self._known.all())
        gone = before - self._owned(services) if before.chains else before
        self._known.replace(services)
        with self._work.underway(f"nft loads {len(services):,} services", len(services)):
            self._apply(nftables.chunks(services, self._node), gone)

    def fill(self, services: Collection[Service]) -> None:
        """Program an empty namespace in several transactions.

        nft loads all but the rules that spread connections over endpoints, which are sent by
        `spread`: through nft, they take the kernel three times as long at 30,000 services, and
        in one transaction with all others many times that.
        """
        every = list(services)
        for done, some in batches(every, _FILL_BATCH, endpoints_of):
            first = done == len(some)
            self._load(nftables.without_spreads(some, self._node, table=first))
            self._work.advanced("services' chains", done, len(every))
        self._known.replace(every)
        spreads = list(nftables.spreads(every, self._node))
        for done, batch in batches(spreads, _SPREAD_BATCH, lambda spread: len(spread.targets)):
            requests = spread.additions(TABLE_NAME, self._node.family, batch, done - len(batch))
            with self._namespace.entered():
                send_transaction(spread.SUBSYSTEM, list(requests))
            self._work.advanced("services' last rules", done, len(spreads))

    def update(
        self, changed: Collection[Service] = (), deleted: Collection[ServiceKey] = ()
    ) -> None:
        """Program what has changed: kube-proxy's partial sync.

        Chains no longer used are emptied, and deleted by the first sync or update that comes a
        second or more later. kube-proxy finds them by listing all chains; here they are known.
        """
        replaced = self._known.change(changed, deleted)
        program = nftables.update(replaced, changed, self._node)
        now_owned = self._owned(changed)
        self._stale = {
            name: since for name, since in self._stale.items() if name not in now_owned.chains
        }
        self._apply([program], self._owned(replaced) - now_owned)

    def _apply(self, chunks: Iterable[str], gone: nftables.Owned) -> None:
        now = monotonic()
        old = [name for name, since in self._stale.items() if now - since >= _STALE_SECONDS]
        if old:
            self._load(nftables.deletion(old, self._node))
        self._load(itertools.chain(chunks, [nftables.emptying(gone, self._node)]))
        self._stale = {name: since for name, since in self._stale.items() if name not in old}
        self._stale |= dict.fromkeys(gone.chains, now)

    def _owned(self, services: Collection[Service]) -> nftables.Owned:
        return nftables.owned(services, self._node)

    def watch(self, *services: Service) -> None:
        """Put a counter at the head of each chain of some services.

        kube-proxy's nftables rules count nothing. These counters are the only rules here that are
        not its own; they cost these services some ten nanoseconds, and only a connection's first
        packet passes them. Syncing or updating a service takes its own away.
        """
        rules = [
            f"insert rule {self._table} {chain} counter\n"
            for chain in sorted(self._owned(services).chains)
        ]
        self._load("".join(rules))

    @property
    def looks_long(self) -> bool:
        """It is quick at any size."""
        return False

    def passed(self, services: Collection[Service]) -> int:
        """Sum the packets of watched services' own chains; errors as for `counters`."""
        with self._reader() as reader:
            return sum(
                _packets(reader, nftables.internal_chain(service, port))
                for service in services
                for port in service.ports
                if internal_endpoints(service, port)
            )

    def passed_before(self, services: Collection[Service]) -> int:
        """Look anew: one chain is quickly read."""
        return self.passed(services)

    def counters_of(self, ports: Sequence[tuple[Service, ServicePort]]) -> list[Counters]:
        """Read the packets of several ports' chains; errors as for `counters`."""
        return [self.counters(service, port) for service, port in ports]

    def counters(self, service: Service, port: ServicePort) -> Counters:
        """Read the packets of a port's service chain and of its endpoint chains.

        Raises:
            ServiceError: the service is not watched.
        """
        with self._reader() as reader:
            return Counters(
                _packets(reader, nftables.internal_chain(service, port)),
                {
                    str(endpoint): _packets(
                        reader, nftables.endpoint_chain(service, port, endpoint)
                    )
                    for endpoint in internal_endpoints(service, port)
                },
            )

    @contextlib.contextmanager
    def _reader(self) -> Iterator[RuleReader]:
        with self._namespace.entered(), open_rules(TABLE_NAME, self._node.family) as reader:
            yield reader

    def clear(self) -> None:
        """Delete kube-proxy's table from the namespace."""
        self._load(f"add table {self._table}\ndelete table {self._table}\n")
        self._known.replace(())
        self._stale = {}


def _packets(reader: RuleReader, chain: str) -> int:
    rules = reader.rules(chain)
    if not rules:
        raise ServiceError(f"chain {chain} has no counter: its service is to be watched first")
    return rules[0].packets
