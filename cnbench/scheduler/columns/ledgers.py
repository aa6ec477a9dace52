"""The nodes' resources under every release that pods are counted differently in."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from cnbench.scheduler.columns.resources import Demand, Resources
from cnbench.scheduler.model.objects import Node

# A pod's demand from each release on that counts it differently, the first since 0.
Demands = Sequence[tuple[int, Demand]]


class Ledgers:
    """One `Resources` for all releases, until a pod is placed that they count differently.

    Args:
        nodes: the cluster's nodes.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._since = [0]
        self._resources = [Resources(nodes)]

    @property
    def newest(self) -> Resources:
        """As the newest release counts."""
        return self._resources[-1]

    def of(self, minor: int) -> Resources:
        """As a release counts, given by its minor number."""
        if len(self._resources) == 1:  # nearly always
            return self._resources[0]
        return self._resources[bisect_right(self._since, minor) - 1]

    def take(self, demands: Demands, node: int, sign: int) -> None:
        """Add (sign 1) or give back (sign -1) a pod's requests on a node."""
        if len(demands) == len(self._resources) == 1:  # nearly always
            self._resources[0].take(demands[0][1], node, sign)
            return
        for since, _ in demands[1:]:
            self._part_at(since)
        for since, resources in zip(self._since, self._resources, strict=True):
            resources.take(demand_in(demands, since), node, sign)

    def _part_at(self, minor: int) -> None:
        """Have a ledger of its own from this release on: so far both count alike."""
        place = bisect_left(self._since, minor)
        if place == len(self._since) or self._since[place] != minor:
            self._since.insert(place, minor)
            self._resources.insert(place, self._resources[place - 1].copy())


def demand_in(demands: Demands, minor: int) -> Demand:
    """A pod's demand in a release."""
    if len(demands) == 1:
        return demands[0][1]
    return next(demand for since, demand in reversed(demands) if since <= minor)
