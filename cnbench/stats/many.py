"""Many comparisons at once: which of them may still be called."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

LEVEL = 0.05


def holm(p_values: Mapping[Hashable, float], level: float = LEVEL) -> set[Hashable]:
    """Those of the comparisons that stand when the chance of any false one is to be ``level``.

    The smallest p-value is held against level / m, the next against level / (m - 1), and so on up
    to the first that does not stand (Holm, Scandinavian Journal of Statistics 6 (1979) 65-70). No
    assumption on how the comparisons depend on each other.
    """
    standing: set[Hashable] = set()
    for rank, (name, p_value) in enumerate(sorted(p_values.items(), key=lambda named: named[1])):
        if p_value > level / (len(p_values) - rank):
            break
        standing.add(name)
    return standing
