"""Pods by namespace and label, counted as they come and go, so that a new selector finds its pods.

Most selectors demand one label. Without this, the first question about one adds up the pods of all
classes that have it; with it, it copies one tally.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from cnbench.scheduler.columns.label_index import Pair
from cnbench.scheduler.columns.tally import NodeTally

# A namespace and a label.
GroupKey = tuple[str, Pair]


class CountedPods(Protocol):
    """A class of pods, of which some may be placed."""

    namespace: str
    pairs: tuple[Pair, ...]
    terminating: bool
    tally: NodeTally


class LabelGroup:
    """The pods of one namespace with one label, of however many classes.

    Attributes:
        terminating: whether some of the classes are of terminating pods.
        watchers: the tallies of queries that mean all of them.
        running_watchers: the tallies of queries that mean those that are not terminating.
    """

    __slots__ = ("_all", "_first", "running_watchers", "terminating", "watchers")

    def __init__(self) -> None:
        self._first: NodeTally | None = None
        # Of the second class on: one class has a tally of its own.
        self._all: NodeTally | None = None
        self.terminating = False
        self.watchers: list[NodeTally] = []
        self.running_watchers: list[NodeTally] = []

    @property
    def empty(self) -> bool:
        """Whether no class is in it."""
        return self._first is None

    def add(self, pods: CountedPods) -> None:
        """Take in a class of pods, none of which is placed yet."""
        self.terminating = self.terminating or pods.terminating
        if self._first is None:
            self._first = pods.tally
        elif self._all is None:
            self._all = self._first.copy()

    def counted_by(self, terminating: bool) -> Iterator[NodeTally]:
        """The tallies that a pod of this group counts in, but for its class's own."""
        if self._all is not None:
            yield self._all
        yield from self.watchers
        if not terminating:
            yield from self.running_watchers

    def watched(self, size: int, terminating_too: bool) -> NodeTally | None:
        """A running tally of its pods; None where some are terminating and must not count."""
        if self.terminating and not terminating_too:
            return None
        there = self._all or self._first
        tally = NodeTally(size) if there is None else there.copy()
        (self.watchers if terminating_too else self.running_watchers).append(tally)
        return tally


class LabelGroups:
    """All groups of a cluster.

    Args:
        size: the number of nodes.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._groups: dict[GroupKey, LabelGroup] = {}
        self._watched: list[GroupKey] = []

    def joined_by(self, pods: CountedPods) -> list[LabelGroup]:
        """The groups of a class, none of whose pods is placed yet; it is in them from now on."""
        joined = [self._group((pods.namespace, pair)) for pair in pods.pairs]
        for group in joined:
            group.add(pods)
        return joined

    def _group(self, key: GroupKey) -> LabelGroup:
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = LabelGroup()
        return group

    def watched(self, key: GroupKey, terminating_too: bool) -> NodeTally | None:
        """A running tally of a group; None where some of its pods must not count."""
        tally = self._group(key).watched(self._size, terminating_too)
        if tally is not None:
            self._watched.append(key)
        return tally

    def forget_watchers(self) -> None:
        """Count for no query any more."""
        for key in set(self._watched):
            group = self._groups[key]
            group.watchers, group.running_watchers = [], []
            if group.empty:
                del self._groups[key]
        self._watched.clear()
