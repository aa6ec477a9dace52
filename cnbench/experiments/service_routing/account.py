"""What services' rules are to have counted, held against what they have.

A look at the counters costs little in most modes: there each sample is bracketed by two of its own.
Through iptables-legacy it takes the whole table, at 50,000 services a second of it. So one look at
the end of a block is for all samples of all cases on that node, and each service's count has to be
right in it by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from cnbench.proxy import Proxy, Service, ServiceKey


class Account(Protocol):
    """The conversations that services' rules are to count, and whether they have."""

    once_a_block: bool

    def begin(self) -> None:
        """Before a sample: what is counted from here on is the sample's."""

    def enter(self, conversations: Mapping[ServiceKey, int]) -> None:
        """Add what a sample's conversations went through."""

    def agrees(self) -> bool:
        """Whether the rules have counted what was entered, and nothing else."""


class NoAccount:
    """Where there are no rules."""

    once_a_block = False

    def begin(self) -> None:
        """Nothing is counted."""

    def enter(self, conversations: Mapping[ServiceKey, int]) -> None:
        """Nothing is to be counted."""

    def agrees(self) -> bool:
        """There is nothing that could deny it."""
        return True


class SampleAccount:
    """Of one case's services, from look to look around each sample; in their sum."""

    once_a_block = False

    def __init__(self, proxy: Proxy, services: Sequence[Service]) -> None:
        self._proxy = proxy
        self._services = services
        self._counted = 0
        self._due = 0

    def begin(self) -> None:
        """Look."""
        self._counted = self._proxy.passed(self._services)
        self._due = 0

    def enter(self, conversations: Mapping[ServiceKey, int]) -> None:
        """Add them up."""
        self._due += sum(conversations.values())

    def agrees(self) -> bool:
        """Look again."""
        return self._proxy.passed(self._services) - self._counted == self._due


class Looks:
    """Long looks at the services that any case of a node addresses, each counted by itself."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._services: dict[ServiceKey, Service] = {}
        self._counted: dict[ServiceKey, int] = {}
        self._due = Counter[ServiceKey]()
        self._is_due = False
        self._denied: set[ServiceKey] = set()

    def include(self, services: Sequence[Service]) -> None:
        """Have these counted, too, from now on."""
        for service in services:
            if service.key not in self._services:
                self._services[service.key] = service
                self._counted[service.key] = self._proxy.passed_before([service])

    def enter(self, conversations: Mapping[ServiceKey, int]) -> None:
        """Add what is to be found by the next look."""
        self._due.update(conversations)
        self._is_due = True

    def denied(self) -> set[ServiceKey]:
        """The services of which the last look found something else; one since the last entry."""
        if self._is_due:
            self._proxy.passed(list(self._services.values()))
            found = {key: self._proxy.passed_before([one]) for key, one in self._services.items()}
            self._denied = {
                key for key in found if found[key] - self._counted[key] != self._due[key]
            }
            self._counted, self._due, self._is_due = found, Counter(), False
        return self._denied


class BlockAccount:
    """Of one case's services, from one long look to the next, which all cases of a node share."""

    once_a_block = True

    def __init__(self, looks: Looks, services: Sequence[Service]) -> None:
        self._looks = looks
        self._keys = {service.key for service in services}
        looks.include(services)

    def begin(self) -> None:
        """Nothing: whatever is counted since the last look belongs to samples."""

    def enter(self, conversations: Mapping[ServiceKey, int]) -> None:
        """Add them to what the next look is to find."""
        self._looks.enter(conversations)

    def agrees(self) -> bool:
        """Whether each of the services has counted its own, by whichever case."""
        return self._keys.isdisjoint(self._looks.denied())
