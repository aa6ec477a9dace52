"""What one question is about: all nodes or a selection, column by column, and by whose rules."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cnbench.scheduler import loops
from cnbench.scheduler.cluster import Cluster
from cnbench.scheduler.columns.arrays import Codes, Ints, Mask
from cnbench.scheduler.columns.node_labels import LabelColumn
from cnbench.scheduler.releases import DEFAULT, KubernetesRelease
from cnbench.scheduler.settings import DEFAULT_SETTINGS, Settings

Item = TypeVar("Item", bound=np.generic)


class View:
    """A selection of a cluster's nodes.

    Attributes:
        cluster: the cluster.
        nodes: the numbers of the nodes selected, or None for all of them in order.
        size: how many.
        no_score: a 0 for each of them.
        release: the Kubernetes release whose rules apply.
        settings: the settings of the plugins.
        resources: what the nodes have and what is left of it, as the release counts pods.
    """

    def __init__(
        self,
        cluster: Cluster,
        nodes: Codes | None = None,
        release: KubernetesRelease = DEFAULT,
        settings: Settings = DEFAULT_SETTINGS,
    ) -> None:
        self.cluster = cluster
        self.nodes = nodes
        self.release = release
        self.settings = settings
        self.resources = cluster.resources_in(release.minor)
        self.size = len(cluster) if nodes is None else len(nodes)
        self.no_score = cluster.no_score if nodes is None else np.zeros(len(nodes), dtype=np.int64)

    def column(self, column: NDArray[Item]) -> NDArray[Item]:
        """The selected nodes' entries; the column itself (not a copy) when all are selected."""
        return column if self.nodes is None else column.take(self.nodes)

    def columns(self, matrix: NDArray[Item]) -> NDArray[Item]:
        """The selected nodes' columns of a (rows, nodes) matrix; itself when all are selected."""
        return matrix if self.nodes is None else matrix.take(self.nodes, axis=1)

    def codes(self, column: LabelColumn) -> Codes:
        """The selected nodes' codes of a label."""
        return self.column(column.codes)

    def by_label(self, column: LabelColumn, table: NDArray[Item]) -> NDArray[Item]:
        """For each selected node its label value's entry in a table of len(values) + 1."""
        if column.identity:
            return self.column(table[:-1])
        return table.take(self.codes(column))

    def marked(self, column: LabelColumn, table: Mask) -> Mask:
        """The nodes whose label value is marked in a table of len(values) + 1."""
        if column.identity:
            return self.column(table[:-1])
        return loops.looked_up(table, self.codes(column))

    def place_of(self, node: int) -> int | None:
        """Where a node, given by its number, is among those selected; None if it is not."""
        if self.nodes is None:
            return node
        found = (self.nodes == node).nonzero()[0]
        return int(found[0]) if len(found) else None

    def everywhere(self, answer: bool) -> Mask:
        """The same answer for every selected node."""
        return np.full(self.size, answer)

    def zeros(self) -> Ints:
        """A score of 0 for every selected node (int64; always this array, not to be written to)."""
        return self.no_score
