"""kube-proxy's iptables mode at work, through either front end of iptables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from enum import StrEnum
from functools import partial

from cnbench.proxy import iptables
from cnbench.proxy.loader import Counters, Known, Namespace, Programmed, Stopwatch
from cnbench.proxy.model import Node, Service, ServiceKey, ServicePort
from cnbench.proxy.nft_rules import read_rules
from cnbench.proxy.xtables import Rule, packets, read_table

# Another restore on this machine holds iptables' lock, which all namespaces share.
LOCK_SECONDS = "60"

_EMPTY = "*filter\nCOMMIT\n*nat\nCOMMIT\n"


class FrontEnd(StrEnum):
    """Which iptables: the kernel's own tables, or their translation to nftables."""

    LEGACY = "legacy"
    NFT = "nft"


class IptablesProxy:
    """Programs services with ``iptables-restore --noflush --counters``, as kube-proxy does."""

    def __init__(
        self, namespace: Namespace, node: Node, front_end: FrontEnd = FrontEnd.LEGACY
    ) -> None:
        self._namespace = namespace
        self._node = node
        self._front_end = front_end
        self._restore = [f"iptables-{front_end}-restore", "--wait", LOCK_SECONDS, "--noflush"]
        self._known = Known()
        self._based = False
        self._headers: dict[str, int] = {}

    def _load(self, program: str) -> None:
        """Load a program, after kube-proxy's own chains where they are not there yet."""
        if not self._based:
            self._namespace.run(self._restore, input=iptables.base_program())
            self._based = True
        self._namespace.run([*self._restore, "--counters"], input=program)

    def sync(self, services: Collection[Service]) -> Programmed:
        """Program all services: kube-proxy's full sync, from empty or over what was there."""
        watch = Stopwatch()
        before = self._chains(self._known.all())
        stale = sorted(before - self._chains(services)) if before else ()
        program = iptables.program(services, self._node, stale=stale)
        generated = watch.lap()
        self._load(program)
        loaded = watch.lap()
        self._known.replace(services)
        return Programmed(generated, loaded, len(program))

    def fill(self, services: Collection[Service]) -> None:
        """Program an empty namespace: as `sync` does."""
        self.sync(services)

    def update(
        self, changed: Collection[Service] = (), deleted: Collection[ServiceKey] = ()
    ) -> Programmed:
        """Program what has changed: kube-proxy's partial sync.

        Chains no longer used are deleted in the same restore. kube-proxy finds them with a full
        ``iptables-save``, in clusters of more than 1,000 endpoints once an hour only.
        """
        watch = Stopwatch()
        replaced = self._known.change(changed, deleted)
        program = iptables.program(
            self._known.all(),
            self._node,
            changed={service.key for service in changed},
            stale=sorted(self._chains(replaced) - self._chains(changed)),
        )
        generated = watch.lap()
        self._load(program)
        return Programmed(generated, watch.lap(), len(program))

    @staticmethod
    def _chains(services: Collection[Service]) -> set[str]:
        return {chain for service in services for chain in iptables.chains_of(service)}

    def watch(self, *services: Service) -> None:
        """Do nothing: every iptables rule has counters of its own."""

    def passed(self, services: Collection[Service]) -> int:
        """Sum the packets of services' KUBE-SVC chains."""
        with self._namespace.entered():
            read = self._reader()
            return sum(
                packets(read(iptables.service_chain(service, port)), "KUBE-SEP-")
                for service in services
                for port in service.ports
            )

    def counters(self, service: Service, port: ServicePort) -> Counters:
        """Read the packets of a port's KUBE-SVC chain and of its endpoints' KUBE-SEP chains."""
        with self._namespace.entered():
            read = self._reader()
            passed = packets(read(iptables.service_chain(service, port)), "KUBE-SEP-")
            return Counters(
                passed,
                {
                    str(endpoint): packets(
                        read(iptables.endpoint_chain(service, port, endpoint)), "DNAT"
                    )
                    for endpoint in port.endpoints
                },
            )

    def _reader(self) -> Callable[[str], Iterable[Rule]]:
        if self._front_end is FrontEnd.LEGACY:
            return read_table("nat", self._headers).rules
        return partial(read_rules, "nat")

    def clear(self) -> None:
        """Flush the filter and nat tables of the namespace."""
        self._namespace.run(self._restore[:-1], input=_EMPTY)
        self._known.replace(())
        self._based = False
