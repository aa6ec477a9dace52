"""How many pods of one kind each node has, in as little memory as the kind deserves.

A rare kind is a list with one node number per pod (4 B a pod); a kind with a quarter as many pods
as there are nodes becomes a count per node (at most 16 B a pod). Adding or removing a pod touches
one entry; counting costs the shorter of the two.
"""

from array import array

import numpy as np

from cnbench.scheduler.arrays import Codes, Counts, Ints, Mask, Shorts

_DENSE_SHARE = 4


class NodeTally:
    """The pods of one kind, by node."""

    __slots__ = ("_counts", "_nodes", "_size", "total")

    def __init__(self, size: int, nodes: Shorts | None = None) -> None:
        """A tally over `size` nodes, of pods on these nodes (one entry each)."""
        self._size = size
        self.total = 0 if nodes is None else len(nodes)
        self._nodes = array("i", b"" if nodes is None else nodes.astype(np.int32).tobytes())
        self._counts: Shorts | None = None
        if self.total * _DENSE_SHARE > size:
            self._become_dense()

    def add(self, node: int) -> None:
        """Count one more pod on this node."""
        self.total += 1
        if self._counts is not None:
            self._counts[node] += 1
            return
        self._nodes.append(node)
        if self.total * _DENSE_SHARE > self._size:
            self._become_dense()

    def remove(self, node: int) -> None:
        """Count one pod less on this node, which must have one."""
        self.total -= 1
        if self._counts is not None:
            self._counts[node] -= 1
            return
        position = int((np.frombuffer(self._nodes, dtype=np.int32) == node).argmax())
        last = self._nodes.pop()
        if position < len(self._nodes):
            self._nodes[position] = last

    def _become_dense(self) -> None:
        self._counts = np.bincount(self._listed(), minlength=self._size).astype(np.int32)
        self._nodes = array("i")

    def _listed(self) -> Shorts:
        return np.frombuffer(self._nodes, dtype=np.int32)

    def nodes(self) -> Codes:
        """The node of each pod (a node with two pods appears twice); a copy."""
        if self._counts is not None:
            return np.repeat(np.arange(self._size), self._counts)
        return self._listed().astype(np.intp)

    def occupied(self) -> Codes:
        """The nodes with at least one pod, some perhaps more than once; a copy."""
        if self._counts is not None:
            return self._counts.nonzero()[0]
        return self._listed().astype(np.intp)

    def per_node(self) -> Counts:
        """Pods on each node (not to be written to)."""
        if self._counts is not None:
            return self._counts
        return np.bincount(self._listed(), minlength=self._size)

    def per_value(self, codes: Codes, values: int, eligible: Mask | None = None) -> Ints:
        """Pods per value of a label.

        Args:
            codes: for each node the code of its value, `values` where it has none.
            values: the number of distinct values.
            eligible: the nodes whose pods count; None for all.

        Returns:
            int64 counts of length values + 1; the last is of nodes without the label.
        """
        if self._counts is None:
            nodes = self._listed()
            if eligible is not None:
                nodes = nodes[eligible[nodes]]
            return np.bincount(codes[nodes], minlength=values + 1)
        counts = self._counts if eligible is None else self._counts * eligible
        # bincount adds up in float64, which is exact far beyond any number of pods.
        return np.bincount(codes, weights=counts, minlength=values + 1).astype(np.int64)
