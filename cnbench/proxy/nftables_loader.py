"""kube-proxy's nftables mode at work."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Collection, Iterable, Iterator
from time import monotonic

from cnbench.proxy import nftables
from cnbench.proxy.loader import Counters, Known, Namespace, Programmed, Stopwatch
from cnbench.proxy.model import Node, Service, ServiceError, ServiceKey, ServicePort
from cnbench.proxy.nft_rules import RuleReader, open_rules
from cnbench.proxy.nftables_port import TABLE
from cnbench.proxy.pieces import Metered

_NFT = ("nft", "-f", "-")
# The kernel's own time grows with more than the square of the services in one transaction.
_TIMEOUT_SECONDS = 7200.0
_FILL_BATCH = 2000
# How long kube-proxy waits before it deletes a chain that has lost its last map element.
_STALE_SECONDS = 1.0


class NftablesProxy:
    """Programs services with ``nft -f -``, as kube-proxy does."""

    def __init__(self, namespace: Namespace, node: Node) -> None:
        self._namespace = namespace
        self._node = node
        self._known = Known()
        self._stale: dict[str, float] = {}

    def _load(self, program: str | Iterable[str]) -> None:
        self._namespace.run(_NFT, input=program, timeout=_TIMEOUT_SECONDS)

    def sync(self, services: Collection[Service]) -> Programmed:
        """Program all services: kube-proxy's full sync, from empty or over what was there."""
        watch = Stopwatch()
        before = self._owned(self._known.all())
        gone = before - self._owned(services) if before.chains else before
        self._known.replace(services)
        return self._apply(nftables.pieces(services, self._node), gone, watch)

    def fill(self, services: Collection[Service]) -> None:
        """Program an empty namespace in transactions of some thousand services.

        A rule's anonymous map is bound by walking the whole transaction so far
        (__nft_set_trans_bind), and named by walking all sets of the table (nf_tables_newset). So
        one transaction grows with the square of the services twice over: 8,000 take 23 s, and in
        several transactions 8 s. Each of those costs nft a listing of all chains and sets.
        """
        every = list(services)
        self.sync(every[:_FILL_BATCH])
        for start in range(_FILL_BATCH, len(every), _FILL_BATCH):
            self.update(every[start : start + _FILL_BATCH])

    def update(
        self, changed: Collection[Service] = (), deleted: Collection[ServiceKey] = ()
    ) -> Programmed:
        """Program what has changed: kube-proxy's partial sync.

        Chains no longer used are emptied, and deleted by the first sync or update that comes a
        second or more later. kube-proxy finds them by listing all chains; here they are known.
        """
        watch = Stopwatch()
        replaced = self._known.change(changed, deleted)
        program = nftables.update(replaced, changed, self._node)
        now_owned = self._owned(changed)
        self._stale = {
            name: since for name, since in self._stale.items() if name not in now_owned.chains
        }
        return self._apply([program], self._owned(replaced) - now_owned, watch)

    def _apply(self, pieces: Iterable[str], gone: nftables.Owned, watch: Stopwatch) -> Programmed:
        program = Metered(itertools.chain(pieces, [nftables.emptying(gone)]))
        now = monotonic()
        old = [name for name, since in self._stale.items() if now - since >= _STALE_SECONDS]
        if old:
            self._load(nftables.deletion(old))
        self._load(program)
        self._stale = {name: since for name, since in self._stale.items() if name not in old}
        self._stale |= dict.fromkeys(gone.chains, now)
        return Programmed(program.seconds, watch.lap() - program.seconds, program.size)

    def _owned(self, services: Collection[Service]) -> nftables.Owned:
        return nftables.owned(services, self._node)

    def watch(self, *services: Service) -> None:
        """Put a counter at the head of each chain of some services.

        kube-proxy's nftables rules count nothing. These counters are the only rules here that are
        not its own; they cost these services some ten nanoseconds, and only a connection's first
        packet passes them. Syncing or updating a service takes its own away.
        """
        rules = [
            f"insert rule {TABLE} {chain} counter\n"
            for chain in sorted(self._owned(services).chains)
        ]
        self._load("".join(rules))

    def passed(self, services: Collection[Service]) -> int:
        """Sum the packets of watched services' own chains; errors as for `counters`."""
        with self._reader() as reader:
            return sum(
                _packets(reader, nftables.service_chain(service, port))
                for service in services
                for port in service.ports
            )

    def counters(self, service: Service, port: ServicePort) -> Counters:
        """Read the packets of a port's service chain and of its endpoint chains.

        Raises ServiceError for a service that is not watched.
        """
        with self._reader() as reader:
            return Counters(
                _packets(reader, nftables.service_chain(service, port)),
                {
                    str(endpoint): _packets(
                        reader, nftables.endpoint_chain(service, port, endpoint)
                    )
                    for endpoint in port.endpoints
                },
            )

    @contextlib.contextmanager
    def _reader(self) -> Iterator[RuleReader]:
        _, table = TABLE.split()
        with self._namespace.entered(), open_rules(table) as reader:
            yield reader

    def clear(self) -> None:
        """Delete kube-proxy's table from the namespace."""
        table = TABLE
        self._load(f"add table {table}\ndelete table {table}\n")
        self._known.replace(())
        self._stale = {}


def _packets(reader: RuleReader, chain: str) -> int:
    rules = reader.rules(chain)
    if not rules:
        raise ServiceError(f"chain {chain} has no counter: its service is to be watched first")
    return rules[0].packets
