"""Loading kube-proxy's programs into a network namespace, and reading their counters as proof."""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from cnbench.core.errors import ServiceError
from cnbench.proxy.model import Service, ServiceKey, ServicePort

# For a tool that loads a program: tens of thousands of services take some minutes, emulated or in
# one nftables transaction most of an hour.
LOAD_SECONDS = 7200.0


class Namespace(Protocol):
    """A network namespace of the run's own; nothing is ever loaded into the root one."""

    def run(
        self,
        argv: Sequence[str],
        input: str | Iterable[str] | None = None,
        check: bool = True,
        timeout: float = 600,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside; with ``check``, raise with its stderr when it fails.

        An ``input`` in chunks is read while it is still being written. ``timeout`` is in seconds.
        """
        ...

    def entered(self) -> AbstractContextManager[object]:
        """Switch the calling thread into the namespace, so that sockets made there belong to it."""
        ...


@dataclass(frozen=True, slots=True)
class Counters:
    """First packets of connections that one service port has sent on.

    ``service`` counts those its own chain passed on, ``endpoints`` those sent to each
    ``address:port``. Both count from the last time the port was programmed.
    """

    service: int
    endpoints: Mapping[str, int]

    def since(self, earlier: Counters) -> Counters:
        """Give what was counted since an earlier reading of the same port."""
        return Counters(
            self.service - earlier.service,
            {
                name: count - earlier.endpoints.get(name, 0)
                for name, count in self.endpoints.items()
            },
        )


class Proxy(Protocol):
    """One mode of kube-proxy at work in one namespace."""

    @property
    def looks_long(self) -> bool:
        """Whether a look at counters takes the longer the more services are programmed."""
        ...

    def announce(self, services: Collection[Service]) -> None:
        """Do what need not wait for the sync, as kube-proxy does when a service is announced to it.

        That is iptables mode's names of chains; the other modes do all in the sync.
        """
        ...

    def sync(self, services: Collection[Service]) -> None:
        """Program all services, whatever was there before: kube-proxy's full sync."""
        ...

    def fill(self, services: Collection[Service]) -> None:
        """Program an empty namespace the quickest way, to measure something other than that.

        The rules are those of `sync`, their way into the kernel may be another.
        """
        ...

    def update(
        self, changed: Collection[Service] = (), deleted: Collection[ServiceKey] = ()
    ) -> None:
        """Program what has changed since the last sync or update: kube-proxy's partial sync."""
        ...

    def watch(self, *services: Service) -> None:
        """Make services' counters readable; to be repeated after each sync or update of them."""
        ...

    def passed(self, services: Collection[Service]) -> int:
        """Count the connections that watched services have sent on so far, in a quick look.

        IPVS counts those of all its services here: each one's own come up to two seconds late.
        """
        ...

    def passed_before(self, services: Collection[Service]) -> int:
        """Count the same as of the last look at any services, where a look is a long one.

        Through iptables-legacy that takes the whole table. So one look does for many samples, and
        whatever was counted between two looks is found by the second.
        """
        ...

    def counters(self, service: Service, port: ServicePort) -> Counters:
        """Read the counters of one port of a service that is programmed and watched.

        Those are of what comes to its cluster IP, and of the endpoints that take that.
        """
        ...

    def counters_of(self, ports: Sequence[tuple[Service, ServicePort]]) -> list[Counters]:
        """Read the counters of several ports, in one look where a look is a long one."""
        ...

    def clear(self) -> None:
        """Take every rule out of the namespace again."""
        ...


class Known:
    """The services that are programmed, in their order: what kube-proxy's change trackers keep."""

    def __init__(self) -> None:
        # Keys of plain tuples, which equal a ServiceKey and are made in a third of its time.
        self._services: dict[tuple[str, str], Service] = {}

    def replace(self, services: Collection[Service]) -> None:
        """Forget all and remember these."""
        self._services = {(service.namespace, service.name): service for service in services}

    def change(
        self, changed: Collection[Service], deleted: Collection[ServiceKey]
    ) -> list[Service]:
        """Remember a change, and give the services that it replaced. A new service comes last.

        Raises:
            ServiceError: a deleted service is not known.
        """
        if unknown := [key for key in deleted if key not in self._services]:
            raise ServiceError(f"service {unknown[0]}: cannot be deleted, it was never programmed")
        replaced = [self._services.pop(key) for key in deleted]
        replaced += [
            self._services[service.key] for service in changed if service.key in self._services
        ]
        self._services |= {service.key: service for service in changed}
        return replaced

    def all(self) -> Collection[Service]:
        """Give all services in their order."""
        return self._services.values()
