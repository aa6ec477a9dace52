"""Programs in batches: what one transaction or one run of a tool is to load."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from cnbench.proxy.model import Service

_Item = TypeVar("_Item")


def batches(
    items: Sequence[_Item], most: int, weigh: Callable[[_Item], int]
) -> Iterator[tuple[int, Sequence[_Item]]]:
    """Give items that weigh ``most`` together, or one of more, and how many are done after them.

    Of no items one batch without any.
    """
    start = weight = 0
    for end, item in enumerate(items):
        weight += weigh(item)
        if weight > most and end > start:
            yield end, items[start:end]
            start, weight = end, weigh(item)
    yield len(items), items[start:]


def endpoints_of(service: Service) -> int:
    """Count the endpoints of all ports of a service."""
    return sum(len(port.endpoints) for port in service.ports)
