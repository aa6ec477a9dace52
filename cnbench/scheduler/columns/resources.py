"""What nodes have and what is left of it, one column a resource.

Columns are float64 that hold integers only: `quantities.LARGEST_AMOUNT` bounds every capacity
and every sum, so that each value, and each value times 100, stays below 2**53 and every addition,
subtraction and multiplication is exact. (float64 divides several times faster than int64, and
`exact.py` shows why its quotients, rounded down, are the integer ones.)
"""

from collections.abc import Mapping, Sequence

import numpy as np

from cnbench.scheduler.columns.arrays import Floats
from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.model.objects import Node, Spec
from cnbench.scheduler.model.quantities import CPU, LARGEST_AMOUNT, MEMORY, PODS

# Cpu and memory come first: their rows are used together, as one two-row matrix.
SCORED = (CPU, MEMORY)
SCORED_ROWS = [0, 1]
PERCENT = 100.0


class Resources:
    """Capacities and requests of all nodes.

    Attributes:
        rows: the row of each resource in the matrices below.
        capacity: float64 (resources, nodes), allocatable.
        used: float64 (resources, nodes), requested by the pods placed; row "pods" counts them.
        free: capacity less used.
        headroom: float64 (2, nodes), cpu and memory left when pods that do not say what they
            need are counted with the scheduler's defaults; a hundredfold, as percents want it.
        divisor: capacity with 0 replaced by 1, to divide by.
        lacking: the resources that some node has none of.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        names = dict.fromkeys((*SCORED, PODS))
        for node in nodes:
            names.update(dict.fromkeys(node.capacity))
        self.rows = {name: row for row, name in enumerate(names)}
        self.capacity = np.zeros((len(names), len(nodes)))
        for name, row in self.rows.items():
            self.capacity[row] = [node.capacity.get(name, 0) for node in nodes]
        self.used = np.zeros_like(self.capacity)
        self.free = self.capacity.copy()
        self.headroom = self.capacity[: len(SCORED)] * PERCENT
        self.divisor = np.maximum(self.capacity, 1.0)
        self.lacking = (self.capacity == 0).any(axis=1)

    def demand(self, spec: Spec) -> "Demand":
        """The spec's requests by row."""
        return Demand(spec, self.rows)

    def take(self, demand: "Demand", node: int, sign: int) -> None:
        """Add (sign 1) or give back (sign -1) a pod's requests on a node.

        Raises:
            SchedulerInputError: the node's sum would leave the range of exact scores; nothing
                has been changed then.
        """
        if sign > 0:
            self._check(demand, node)
        used, free, headroom = self.used, self.free, self.headroom
        for row, amount in demand.by_row:
            used[row, node] += sign * amount
            free[row, node] -= sign * amount
        for row, amount in enumerate(demand.scored):
            headroom[row, node] -= sign * PERCENT * amount

    def _check(self, demand: "Demand", node: int) -> None:
        for row, amount in enumerate(demand.scored):
            if amount - self.headroom[row, node] / PERCENT > LARGEST_AMOUNT:
                raise SchedulerInputError(
                    f"node {node}", SCORED[row], "its pods would request 2**46 more than it has"
                )

    def left(self, rows: Sequence[int]) -> Floats:
        """A hundred times what the scores take as left of these rows' resources: (rows, nodes)."""
        if rows == SCORED_ROWS:
            return self.headroom
        scored = set(SCORED_ROWS)
        return np.array(
            [self.headroom[row] if row in scored else self.free[row] * PERCENT for row in rows]
        )


def rows_of(matrix: Floats, rows: Sequence[int]) -> Floats:
    """These rows of a matrix; where they lie side by side, not a copy."""
    side_by_side = all(row == rows[0] + place for place, row in enumerate(rows))
    return matrix[rows[0] : rows[-1] + 1] if side_by_side else matrix[list(rows)]


class Demand:
    """A pod's requests, ready to be compared with and added to the columns.

    Attributes:
        by_row: (row, amount) of every resource requested, one pod included, in order of rows.
        rows: the rows alone.
        amounts: the amounts alone, a column: (rows, 1).
        scored: cpu and memory as the scores count them.
        unknown: resources requested that no node has.
    """

    __slots__ = ("_requests", "amounts", "by_row", "rows", "scored", "unknown")

    def __init__(self, spec: Spec, rows: Mapping[str, int]) -> None:
        wanted = {name: number for name, number in spec.requests if number and name != PODS}
        known = [(rows[name], float(number)) for name, number in wanted.items() if name in rows]
        self.by_row = tuple(sorted([*known, (rows[PODS], 1.0)]))
        self.rows = [row for row, _ in self.by_row]
        self.amounts = np.array([[amount] for _, amount in self.by_row])
        self.unknown = tuple(name for name in wanted if name not in rows)
        scored = dict(spec.scored_requests)
        self.scored = tuple(float(scored[name]) for name in SCORED)
        self._requests = spec.requests

    def scored_amount(self, resource: str) -> float:
        """What the scores count of a resource: with defaults for cpu and memory."""
        if resource in SCORED:
            return self.scored[SCORED.index(resource)]
        return self.amount(resource)

    def amount(self, resource: str) -> float:
        """What is requested of a resource."""
        return next((float(number) for name, number in self._requests if name == resource), 0.0)
