"""How many pods of one kind each node has, in as little memory as the kind deserves.

A rare kind is a list with one node number per pod (4 B a pod); a kind with a quarter as many pods
as there are nodes becomes a count per node (at most 16 B a pod), and from then on also keeps
running sums over the values of the labels it is asked about. Adding or removing a pod touches one
entry of each; counting costs the shorter of the two.
"""

from array import array
from collections.abc import Hashable, Iterable

import numpy as np

from cnbench.scheduler import loops
from cnbench.scheduler.columns.arrays import Ints, Mask, Shorts
from cnbench.scheduler.columns.node_labels import LabelColumn

_DENSE_SHARE = 4
_MOST_SUMS = 16

Rules = tuple[Hashable, ...]


class NodeTally:
    """The pods of one kind, by node."""

    __slots__ = ("_counts", "_nodes", "_size", "_sums", "total")

    def __init__(self, size: int, tallies: Iterable["NodeTally"] = ()) -> None:
        """A tally over `size` nodes, of the pods that these tallies count, each apart."""
        self._size = size
        # One copy of them all: a selector may mean thousands of kinds of a few pods each.
        self._nodes = array("i", b"".join([tally.nodes() for tally in tallies]))
        self.total = len(self._nodes)
        self._counts: Shorts | None = None
        self._sums: dict[tuple[LabelColumn, Rules], tuple[Mask | None, Ints]] = {}
        if self.total * _DENSE_SHARE > size:
            self._become_dense()

    def copy(self) -> "NodeTally":
        """The same pods, counted apart; sums by label are begun anew."""
        twin = object.__new__(NodeTally)
        twin._size, twin.total, twin._sums = self._size, self.total, {}
        twin._nodes = self._nodes[:]
        twin._counts = None if self._counts is None else self._counts.copy()
        return twin

    def add(self, node: int) -> None:
        """Count one more pod on this node."""
        self.total += 1
        if self._counts is not None:
            self._change(self._counts, node, 1)
            return
        self._nodes.append(node)
        if self.total * _DENSE_SHARE > self._size:
            self._become_dense()

    def remove(self, node: int) -> None:
        """Count one pod less on this node, which must have one."""
        self.total -= 1
        if self._counts is not None:
            self._change(self._counts, node, -1)
            return
        position = int((np.frombuffer(self._nodes, dtype=np.int32) == node).argmax())
        last = self._nodes.pop()
        if position < len(self._nodes):
            self._nodes[position] = last

    def _become_dense(self) -> None:
        self._counts = loops.count_by_node(self._listed(), self._size)
        self._nodes = array("i")

    def _change(self, counts: Shorts, node: int, by: int) -> None:
        counts[node] += by
        for (column, _), (eligible, sums) in self._sums.items():
            if eligible is None or eligible[node]:
                sums[column.codes[node]] += by

    def _listed(self) -> Shorts:
        return np.frombuffer(self._nodes, dtype=np.int32)

    def nodes(self) -> "array[int]":
        """The node of each pod (a node with two pods appears twice); not to be changed."""
        if self._counts is None:
            return self._nodes
        return array("i", np.repeat(np.arange(self._size, dtype=np.int32), self._counts).tobytes())

    def per_node(self) -> Shorts:
        """Pods on each node (int32; not to be written to)."""
        if self._counts is not None:
            return self._counts
        return loops.count_by_node(self._listed(), self._size)

    def per_value(
        self, column: LabelColumn, eligible: Mask | None = None, rules: Rules = ()
    ) -> Ints:
        """Pods per value of a label.

        Args:
            column: the label.
            eligible: the nodes whose pods count; None for all.
            rules: what made them eligible: the same rules always mean the same nodes.

        Returns:
            int64 counts of length len(values) + 1, the caller's own; the last is of nodes
            without the label.
        """
        codes, length = column.codes, column.missing + 1
        if self._counts is None:
            return loops.count_listed(self._listed(), codes, length, eligible)
        if column.identity and eligible is None:
            return np.append(self._counts.astype(np.int64), 0)
        return self._running(self._counts, column, eligible, rules).copy()

    def _running(
        self, counts: Shorts, column: LabelColumn, eligible: Mask | None, rules: Rules
    ) -> Ints:
        """The sums kept for this label and these rules, begun when first asked for.

        Not for labels that differ from node to node, of which there would be too many sums; and
        only for the rules asked about last, since every pod placed has to update all of them.
        """
        known = self._sums.get((column, rules))
        if known is not None:
            return known[1]
        length = column.missing + 1
        sums = loops.count_by_label(counts, column.codes, length, eligible)
        if length <= self._size // _DENSE_SHARE:
            self._sums[column, rules] = (eligible, sums)
            if len(self._sums) > _MOST_SUMS:
                del self._sums[next(iter(self._sums))]
        return sums

    def places(self, column: LabelColumn) -> Mask:
        """The label's values on whose nodes there is a pod; the last entry is False."""
        if self._counts is None:
            there = np.zeros(column.missing + 1, dtype=bool)
            there[column.codes[self._listed()]] = True
        else:
            there = self._running(self._counts, column, None, ()) > 0
        there[column.missing] = False
        return there
