"""What filtering, scoring and placing answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnbench.scheduler.columns.arrays import Codes, Ints, Mask
from cnbench.scheduler.model.objects import Pod


@dataclass(frozen=True, eq=False)
class FilterResult:
    """Where a pod may go. Usable as the boolean array `feasible` itself (`result[i]`, numpy).

    Attributes:
        feasible: bool, one per node, in the cluster's order.
        by_plugin: the same for each filter alone; legacy names work as keys.
        node_names: the names of all nodes, in the same order.
        explain: for a node's number or name the reasons it was rejected for.
    """

    feasible: Mask
    by_plugin: Mapping[str, Mask]
    node_names: Sequence[str] = field(repr=False)
    explain: Callable[[int | str], list[str]] = field(repr=False)

    def reasons(self, node: int | str) -> list[str]:
        """Why this node (its number or name) was rejected, one line a plugin; empty if it was not.

        Raises:
            UnknownNodeError: there is no such node.
        """
        return self.explain(node)

    def names(self) -> list[str]:
        """The names of the feasible nodes."""
        return [self.node_names[number] for number in self.feasible.nonzero()[0].tolist()]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.feasible, dtype=dtype, copy=bool(copy))

    def __len__(self) -> int:
        return len(self.feasible)

    def __getitem__(self, index: Any) -> Any:
        return self.feasible[index]

    def tolist(self) -> list[bool]:
        """The answer as a list."""
        answers: list[bool] = self.feasible.tolist()
        return answers

    def any(self) -> bool:
        """Whether there is a feasible node."""
        return bool(self.feasible.any())

    def all(self) -> bool:
        """Whether every node is feasible."""
        return bool(self.feasible.all())

    def sum(self) -> int:
        """The number of feasible nodes."""
        return int(np.count_nonzero(self.feasible))


@dataclass(frozen=True, eq=False)
class Scores:
    """How good nodes are for a pod. All arrays are int64, entry i for the node `nodes[i]`.

    They are not to be written to, except `total`: the scheduler keeps some of them.

    Attributes:
        nodes: the numbers of the nodes scored.
        node_names: their names.
        raw: what each plugin computed, before normalising; legacy names work as keys.
        normalised: the same brought to 0 .. 100.
        weights: each plugin's weight.
        total: the sum of normalised score times weight.
    """

    nodes: Codes
    node_names: Sequence[str] = field(repr=False)
    raw: Mapping[str, Ints]
    normalised: Mapping[str, Ints]
    weights: Mapping[str, int]
    total: Ints

    @property
    def normalized(self) -> Mapping[str, Ints]:
        """`normalised`, as Americans spell it."""
        return self.normalised

    @property
    def weighted(self) -> Mapping[str, Ints]:
        """Each plugin's part of the total: normalised score times weight."""
        return {name: scores * self.weights[name] for name, scores in self.normalised.items()}

    def best(self) -> str:
        """The name of the node with the highest total; of several, the first."""
        return self.node_names[int(self.total.argmax())]


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """Which nodes one pod is decided among.

    Attributes:
        looked_at: the numbers of the nodes that were filtered, in the order of the search; None
            for all of them in the cluster's order.
        feasible: those of them that are scored; None for all of them in the cluster's order.
        next_start: the node that the next search begins with.
    """

    looked_at: Codes | None
    feasible: Codes | None
    next_start: int


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a pod went.

    Attributes:
        pod: the pod.
        node: the node's name.
        number: the node's number in the cluster.
        score: its total score.
        feasible: how many feasible nodes were scored.
    """

    pod: Pod
    node: str
    number: int
    score: int
    feasible: int
