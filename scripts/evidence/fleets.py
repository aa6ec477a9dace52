"""Fleets of nodes: how often one that is like the others is named, and those that are not.

Through the rule of `cnbench fleet report`; a node is its deviation from its kind, in standard
deviations between nodes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cnbench.stats.nodes.odd import look_normal, odd_ones

Draw = Callable[[np.random.Generator, int], np.ndarray]

SHAPES: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "uniform": lambda rng, n: rng.uniform(-(3**0.5), 3**0.5, size=n),
    "t, 10 degrees": lambda rng, n: rng.standard_t(10, size=n),
    "t, 5 degrees": lambda rng, n: rng.standard_t(5, size=n),
    "log-normal, 0.3": lambda rng, n: np.exp(0.3 * rng.normal(size=n)),
    "exponential": lambda rng, n: rng.exponential(size=n),
}
SIZES = (6, 20, 200)
# Of the slow ones: so many of a fleet, and how many deviations slower.
SLOW = {200: 5, 20: 1, 6: 1}
SHIFTS = (6.0, 8.0, 10.0)


def alike(shape: str, nodes: int, rate: float, trials: int, seed: int = 5) -> tuple[float, float]:
    """In which share of fleets any node is named, and in which of those nobody is cautioned."""
    named = silent = 0
    for number in range(trials):
        values = SHAPES[shape](np.random.default_rng([seed, nodes, number]), nodes)
        odd = odd_ones(values, rate)
        named += bool(odd.any())
        silent += bool(odd.any()) and look_normal(values[~odd])
    return named / trials, silent / trials


def slower(
    nodes: int, shift: float, rate: float, trials: int, seed: int = 6
) -> tuple[float, float]:
    """In which share of normal fleets all slow nodes are named, and in which any other is."""
    found = others = 0
    slow = SLOW[nodes]
    for number in range(trials):
        values = np.random.default_rng([seed, nodes, number]).normal(size=nodes)
        values[:slow] += shift
        odd = odd_ones(values, rate)
        found += bool(odd[:slow].all())
        others += bool(odd[slow:].any())
    return found / trials, others / trials
