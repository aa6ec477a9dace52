"""What nodes have and what is left of it, one column a resource.

Columns are float64 that hold integers only. Up to `quantities.LARGEST_AMOUNT`, each value and each
value times 100 stays below 2**53, so that every addition, subtraction and multiplication is exact.
(float64 divides several times faster than int64, and `exact.py` shows why its quotients, rounded
down, are the integer ones.) The few entries beyond are *wide*: kept in Python's integers as well,
from which scores are worked out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from cnbench.scheduler.columns.arrays import Floats
from cnbench.scheduler.model.amounts import Amounts
from cnbench.scheduler.model.objects import Node
from cnbench.scheduler.model.quantities import (
    CPU,
    EPHEMERAL_STORAGE,
    LARGEST_AMOUNT,
    MEMORY,
    PODS,
)

# Cpu and memory come first: their rows are used together, as one two-row matrix.
SCORED = (CPU, MEMORY)
SCORED_ROWS = (0, 1)
# What no scalar resource is: these take part in scores, and are asked for, without being named.
NATIVE = (CPU, MEMORY, EPHEMERAL_STORAGE)
PERCENT = 100.0


@dataclass(slots=True)
class Wide:
    """One entry of the columns in exact integers.

    Attributes:
        capacity: what the node has.
        used: what its pods request.
        scored: what they are scored by (as used, but for cpu and memory).
    """

    capacity: int
    used: int = 0
    scored: int = 0


class Resources:
    """Capacities and requests of all nodes, under the releases that count pods alike.

    Attributes:
        rows: the row of each resource in the matrices below.
        capacity: float64 (resources, nodes), allocatable.
        used: float64 (resources, nodes), requested by the pods placed; row "pods" counts them.
        free: capacity less used.
        headroom: float64 (2, nodes), cpu and memory left when pods that do not say what they
            need are counted with the scheduler's defaults; a hundredfold, as percents want it.
        divisor: capacity with 0 replaced by 1, to divide by.
        lacking: the resources that some node has none of.
        wide: by row and node the entries that are not exact, or not a hundredfold.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        names = dict.fromkeys((*SCORED, PODS, EPHEMERAL_STORAGE))
        for node in nodes:
            names.update(dict.fromkeys(node.capacity))
        self.rows = {name: row for row, name in enumerate(names)}
        self.capacity = np.zeros((len(names), len(nodes)))
        self.wide: dict[tuple[int, int], Wide] = {}
        for name, row in self.rows.items():
            amounts = [int(node.capacity.get(name, 0)) for node in nodes]
            self.capacity[row] = amounts
            for number, amount in enumerate(amounts):
                if amount > LARGEST_AMOUNT:
                    self.wide[row, number] = Wide(amount)
        self.used = np.zeros_like(self.capacity)
        self.free = self.capacity.copy()
        self.headroom = self.capacity[: len(SCORED)] * PERCENT
        self.divisor = np.maximum(self.capacity, 1.0)
        self.lacking = (self.capacity == 0).any(axis=1)

    def copy(self) -> Resources:
        """The same with state of its own."""
        twin = object.__new__(Resources)
        twin.__dict__.update(self.__dict__)
        twin.used, twin.free = self.used.copy(), self.free.copy()
        twin.headroom = self.headroom.copy()
        twin.wide = {
            place: Wide(wide.capacity, wide.used, wide.scored) for place, wide in self.wide.items()
        }
        return twin

    def take(self, demand: Demand, node: int, sign: int) -> None:
        """Add (sign 1) or give back (sign -1) a pod's requests on a node."""
        used, free, headroom = self.used, self.free, self.headroom
        beyond = False
        for row, amount in demand.by_row:
            left = free[row, node] - sign * amount
            beyond = beyond or left < -LARGEST_AMOUNT
            used[row, node] += sign * amount
            free[row, node] = left
        for row, amount in enumerate(demand.scored):
            left = headroom[row, node] - sign * PERCENT * amount
            beyond = beyond or left < -PERCENT * LARGEST_AMOUNT
            headroom[row, node] = left
        if beyond:
            self._widen(demand, node, sign)
        if self.wide:
            self._take_exactly(demand, node, sign)

    def _widen(self, demand: Demand, node: int, sign: int) -> None:
        """Keep the entries that have just left the exact range, as they were before.

        They were exact, and a pod asks at most 2**52, so that they can be told: used is still below
        2**53, and a hundredfold headroom of up to 2**58.7 is off by 33 at the most, of 100.
        """
        amounts = dict(demand.by_row)
        for row in {*amounts, *SCORED_ROWS}:
            scores = row < len(SCORED)
            low = scores and self.headroom[row, node] < -PERCENT * LARGEST_AMOUNT
            if (row, node) in self.wide or not (low or self.free[row, node] < -LARGEST_AMOUNT):
                continue
            capacity = int(self.capacity[row, node])
            used = scored = int(self.used[row, node] - sign * amounts.get(row, 0.0))
            if scores:
                before = self.headroom[row, node] + sign * PERCENT * demand.scored[row]
                scored = capacity - round(before / PERCENT)
            self.wide[row, node] = Wide(capacity, used, scored)

    def _take_exactly(self, demand: Demand, node: int, sign: int) -> None:
        for row, amount in demand.by_row:
            change = sign * int(amount)
            self._change(row, node, change, 0 if row < len(SCORED) else change)
        for row, amount in enumerate(demand.scored):
            self._change(row, node, 0, sign * int(amount))

    def _change(self, row: int, node: int, used: int, scored: int) -> None:
        entry = self.wide.get((row, node))
        if entry is None:
            return
        entry.used += used
        entry.scored += scored
        self.used[row, node] = entry.used
        self.free[row, node] = entry.capacity - entry.used
        if row < len(SCORED):
            self.headroom[row, node] = PERCENT * (entry.capacity - entry.scored)

    def left(self, rows: tuple[int, ...]) -> Floats:
        """A hundred times what the scores take as left of these rows' resources: (rows, nodes)."""
        if rows == SCORED_ROWS:
            return self.headroom
        scored = set(SCORED_ROWS)
        return np.array(
            [self.headroom[row] if row in scored else self.free[row] * PERCENT for row in rows]
        )


def rows_of(matrix: Floats, rows: tuple[int, ...]) -> Floats:
    """These rows of a matrix; where they lie side by side, not a copy."""
    picked: Floats = matrix[_selecting(rows)]
    return picked


@cache
def _selecting(rows: tuple[int, ...]) -> slice | list[int]:
    side_by_side = all(row == rows[0] + place for place, row in enumerate(rows))
    return slice(rows[0], rows[-1] + 1) if side_by_side else list(rows)


class Demand:
    """A pod's amounts, ready to be compared with and added to the columns.

    Attributes:
        by_row: (row, amount) of every resource requested, one pod included, in order of rows.
        rows: the rows alone.
        amounts: the amounts alone, a column: (rows, 1).
        scored: cpu and memory as the scores count them once the pod runs.
        unknown: resources requested that no node has.
    """

    __slots__ = ("_amounts", "_known", "_strict", "amounts", "by_row", "rows", "scored", "unknown")

    def __init__(self, given: Amounts, rows: Mapping[str, int]) -> None:
        wanted = [named for named in given.requests if named[1] and named[0] != PODS]
        known = [(rows[name], float(number)) for name, number in wanted if name in rows]
        self.by_row = tuple(sorted([*known, (rows[PODS], 1.0)]))
        self.rows, self.amounts = _columns(self.by_row)
        self._strict: tuple[tuple[int, ...], Floats] | None = None
        self._known = rows
        self.unknown = tuple([name for name, _ in wanted if name not in rows])
        scored = dict(given.scored)
        self.scored = tuple([float(scored[name]) for name in SCORED])
        self._amounts = given

    @property
    def strict(self) -> tuple[tuple[int, ...], Floats]:
        """Rows and amounts of what is asked where 0 is asked, too (before 1.28)."""
        if self._strict is None:
            named = {name: number for name, number in self._amounts.requests if name != PODS}
            self._strict = _columns(_strictly(named, self._known))
        return self._strict

    def arriving(self) -> Mapping[str, int]:
        """What the scores count of each resource for the pod: with defaults for cpu and memory."""
        return dict(self._amounts.arriving)

    def balanced(self) -> Mapping[str, int]:
        """What BalancedAllocation counts of each resource for the pod."""
        return dict(self._amounts.balanced)


def _strictly(named: Mapping[str, int], rows: Mapping[str, int]) -> list[tuple[int, float]]:
    """What is asked before 1.28: with anything at all, cpu, memory and local storage, too."""
    asks = any(named.values()) or any(name not in NATIVE for name in named)
    every = {**dict.fromkeys(NATIVE, 0), **named} if asks else {}
    known = [(rows[name], float(number)) for name, number in every.items() if name in rows]
    return sorted([*known, (rows[PODS], 1.0)])


def _columns(by_row: Sequence[tuple[int, float]]) -> tuple[tuple[int, ...], Floats]:
    rows, amounts = zip(*by_row, strict=True)
    return rows, np.array(amounts)[:, np.newaxis]
