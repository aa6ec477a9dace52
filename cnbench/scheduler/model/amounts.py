"""What a pod counts for, which may differ from release to release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cnbench.scheduler.model.quantities import CPU, MEMORY, MIB, amounts

# What scoring assumes for a container that does not say (pkg/scheduler/util, GetNonzeroRequests).
DEFAULT_SCORED_CPU = 100
DEFAULT_SCORED_MEMORY = 200 * MIB

Items = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a pod counts for from one release on, until the next of its amounts.

    All are (resource, amount) in order of the resources; amounts in base units (millicpu, bytes,
    counts).

    Attributes:
        since: the minor release from which on this holds.
        requests: what it asks of a node, and takes there.
        scored: cpu and memory, defaults included, once it runs.
        arriving: the same while a node is sought for it, and what it asks of other resources.
        balanced: what BalancedAllocation counts while a node is sought for it.
    """

    since: int
    requests: Items
    scored: Items
    arriving: Items
    balanced: Items

    @classmethod
    def of(
        cls,
        since: int,
        requests: Mapping[str, int],
        scored: Mapping[str, int],
        arriving: Mapping[str, int] | None = None,
        balanced: Mapping[str, int] | None = None,
    ) -> Amounts:
        """From maps; what is left out of an arriving pod is as for one that runs."""
        asked = items(requests)
        running = items(scored)
        return cls(
            since,
            asked,
            running,
            running if arriving is None else items(arriving),
            asked if balanced is None else items(balanced),
        )

    def same_as(self, other: Amounts) -> bool:
        """Whether nothing but the release differs."""
        return self.values == other.values

    @property
    def values(self) -> tuple[Items, Items, Items, Items]:
        """All but the release."""
        return self.requests, self.scored, self.arriving, self.balanced


def alike_in_all(
    requests: Mapping[str, int | str], scored: Mapping[str, int | str] | None, where: str
) -> Amounts:
    """The amounts of a pod that counts alike in all releases.

    Args:
        requests: what it requests.
        scored: cpu and memory as they are scored; None derives them (100 millicpu and 200 MiB
            where a resource is not named at all).
        where: the pod, for messages.

    Raises:
        SchedulerInputError: an amount is no quantity.
    """
    asked = amounts(requests, where, "requests")
    counted = amounts(requests if scored is None else scored, where, "requests")
    counted.setdefault(CPU, DEFAULT_SCORED_CPU)
    counted.setdefault(MEMORY, DEFAULT_SCORED_MEMORY)
    return Amounts.of(0, asked, counted)


def distinct(given: Iterable[Amounts]) -> tuple[Amounts, ...]:
    """Amounts in order of release, without those that repeat the ones before; the first since 0."""
    kept: list[Amounts] = []
    for step in sorted(given, key=lambda amounts: amounts.since):
        if not kept:
            kept.append(Amounts(0, *step.values))
        elif not step.same_as(kept[-1]):
            kept.append(step)
    return tuple(kept)


def items(mapping: Mapping[str, int]) -> Items:
    """The items of a map in order of its keys."""
    return tuple(sorted(mapping.items()))
