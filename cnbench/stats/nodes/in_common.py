"""What odd nodes have in common that the others have not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import hypergeom

from cnbench.stats.many import LEVEL, holm
from cnbench.stats.nodes.odd import Flags


@dataclass(frozen=True)
class Shared:
    """A fact of which odd nodes have more than chance gives them.

    Attributes:
        facts: what it is, by name, with its value; several where the same nodes have them all.
        odd: how many odd nodes have it, of ``odd_nodes``.
        others: how many of the others do, of ``other_nodes``.
        p_value: of so many odd ones having it by chance.
    """

    facts: tuple[tuple[str, str], ...]
    odd: int
    odd_nodes: int
    others: int
    other_nodes: int
    p_value: float


def in_common(facts: Sequence[Mapping[str, str]], odd: Flags, level: float = LEVEL) -> list[Shared]:
    """What the ``odd`` of nodes with ``facts`` have in common, the most telling first.

    Fisher's exact test, one-sided, of each value of each fact; what the same nodes have is one
    thing. Those that stand by Holm's procedure at ``level`` over all of them: a chance of
    ``level`` that anything is told which is none.
    """
    together: dict[bytes, list[tuple[str, str]]] = {}
    for name in dict.fromkeys(name for node in facts for name in node):
        values = np.array([node.get(name, "") for node in facts])
        for value in dict.fromkeys(values[odd]):
            has = values == value
            if value and not has.all():
                together.setdefault(has.tobytes(), []).append((name, str(value)))
    found = [_shared(np.frombuffer(has, np.bool_), odd, of) for has, of in together.items()]
    standing = holm({at: shared.p_value for at, shared in enumerate(found)}, level)
    return sorted((found[at] for at in standing if isinstance(at, int)), key=lambda s: s.p_value)


def _shared(has: Flags, odd: Flags, facts: Sequence[tuple[str, str]]) -> Shared:
    with_it = int((has & odd).sum())
    chance = float(hypergeom.sf(with_it - 1, has.size, int(has.sum()), int(odd.sum())))
    return Shared(
        tuple(facts), with_it, int(odd.sum()), int((has & ~odd).sum()), int((~odd).sum()), chance
    )
