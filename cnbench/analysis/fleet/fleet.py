"""What there is to say of a fleet: its kinds, what nodes differ by, who is odd, and what of."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnbench.analysis.fleet.across import Across, across, odd_over_all
from cnbench.analysis.fleet.kinds import Kind, kinds_of
from cnbench.analysis.fleet.nodes import Node, nodes_of
from cnbench.core.run import Run
from cnbench.stats.nodes.in_common import Shared, in_common

# One report in a thousand names a node of a fleet in which all are alike.
RATE = 0.001


@dataclass(frozen=True)
class OddNode:
    """A node that is not like the others.

    Attributes:
        name: the node's.
        kind: the letter of its kind.
        is_worse: whether it is worse than its kind where it is furthest off, or else better.
        worse: how much, over all cases, as a share; None where no metric of theirs is a ratio.
        rows: where it is odd, the furthest off first; none if it is so over all cases alone.
        unusual: what it has that fewer than half of the nodes have, by name.
    """

    name: str
    kind: str
    is_worse: bool
    worse: float | None
    rows: tuple[Across, ...]
    unusual: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Fleet:
    """A report's contents.

    Attributes:
        nodes: all of them, by name.
        kinds: the largest first.
        rows: what was measured, over the nodes.
        worse: how much worse each node is than its kind over all cases, as a share.
        odd: who is odd, the worst first.
        shared: what those that are worse have in common, then what those that are better have.
        rate: the chance that a report names any node where all are alike.
    """

    nodes: tuple[Node, ...]
    kinds: tuple[Kind, ...]
    rows: tuple[Across, ...]
    worse: dict[str, float]
    odd: tuple[OddNode, ...]
    shared: tuple[tuple[Shared, ...], tuple[Shared, ...]]
    rate: float

    @property
    def normal(self) -> bool:
        """Whether what names nodes is of the kind that the rate holds for."""
        return all(row.normal for row in self.rows if row.odd.any())

    def kind_of(self, node: str) -> str:
        """The letter of a node's kind."""
        return next(kind.letter for kind in self.kinds if node in kind.nodes)

    def as_json(self) -> dict[str, Any]:
        """As ``cnbench fleet report --json`` prints it."""
        return {
            "nodes": [
                {"node": n.name, "kind": self.kind_of(n.name), "worse": self.worse.get(n.name)}
                for n in self.nodes
            ],
            "kinds": [asdict(kind) for kind in self.kinds],
            "rows": [row.as_json() for row in self.rows],
            "odd": [_as_json(node) for node in self.odd],
            "in_common": {
                side: [asdict(each) for each in of]
                for side, of in zip(("worse", "better"), self.shared, strict=True)
            },
            "rate": self.rate,
            "normal": self.normal,
        }


def fleet_of(
    runs: Iterable[tuple[Path, Run]], *, rate: float = RATE, every_metric: bool = False
) -> Fleet:
    """What runs of several nodes say of them together.

    Args:
        runs: run files and what is in them.
        rate: the chance that any node is named where all are alike, over all of the report.
        every_metric: look at every metric of a case, and not at its headline alone.

    Raises:
        UsageError: they are of fewer than two nodes.
        ValueError: a rate that is not between 0 and 1.
    """
    nodes = nodes_of(runs)
    kinds = kinds_of(nodes)
    number = {name: at for at, kind in enumerate(kinds) for name in kind.nodes}
    rows = across(nodes, number, rate, every_metric=every_metric)
    means, over_all = odd_over_all(rows, rate)
    worse = {name: math.expm1(mean) for name, mean in means.items()}
    odd = _odd_nodes(nodes, kinds, rows, worse, over_all)
    return Fleet(
        tuple(nodes), tuple(kinds), tuple(rows), worse, tuple(odd), _shared(nodes, odd), rate
    )


def _odd_nodes(
    nodes: Sequence[Node],
    kinds: Sequence[Kind],
    rows: Sequence[Across],
    worse: dict[str, float],
    over_all: set[str],
) -> list[OddNode]:
    where: dict[str, list[tuple[float, Across]]] = {name: [] for name in over_all}
    for row in rows:
        for at in np.flatnonzero(row.odd):
            where.setdefault(row.names[at], []).append((float(row.worse[at]), row))
    found = [
        _odd_node(node, nodes, kinds, where[node.name], worse.get(node.name))
        for node in nodes
        if node.name in where
    ]
    return sorted(found, key=lambda node: (not node.is_worse, -(node.worse or 0)))


def _odd_node(
    node: Node,
    nodes: Sequence[Node],
    kinds: Sequence[Kind],
    where: Sequence[tuple[float, Across]],
    worse: float | None,
) -> OddNode:
    furthest = sorted(where, key=lambda each: -abs(each[0]))
    return OddNode(
        node.name,
        next(kind.letter for kind in kinds if node.name in kind.nodes),
        (furthest[0][0] if furthest else worse or 0) > 0,
        worse,
        tuple(row for _, row in furthest),
        _unusual(node, nodes),
    )


def _unusual(node: Node, nodes: Sequence[Node]) -> tuple[tuple[str, str], ...]:
    having = Counter(fact for other in nodes for fact in other.facts.items())
    return tuple(fact for fact in node.facts.items() if having[fact] < len(nodes) / 2)


def _shared(
    nodes: Sequence[Node], odd: Sequence[OddNode]
) -> tuple[tuple[Shared, ...], tuple[Shared, ...]]:
    facts = [node.facts for node in nodes]

    def of(names: set[str]) -> tuple[Shared, ...]:
        flags = np.array([node.name in names for node in nodes])
        return tuple(in_common(facts, flags)) if len(names) > 1 else ()

    return of({n.name for n in odd if n.is_worse}), of({n.name for n in odd if not n.is_worse})


def _as_json(node: OddNode) -> dict[str, Any]:
    return {
        "node": node.name,
        "kind": node.kind,
        "is_worse": node.is_worse,
        "worse": node.worse,
        "rows": [{"case": row.case.key, "metric": row.metric.name} for row in node.rows],
        "unusual": dict(node.unusual),
    }
