"""Fleets that were never measured: nodes that differ as they are told to, some of them slower."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import made_up
import numpy as np

from cnbench.core.fingerprint import Fingerprint
from cnbench.core.run import Run

# Standard deviations of a node among others, and of a block on one node, of logarithms.
BETWEEN_NODES = 0.01
INSIDE = 0.02
BLOCKS = 12
CASES = ((1, 1e-3), (2, 5e-3))


def fleet(
    rng: np.random.Generator,
    nodes: int = 200,
    slow: int = 5,
    slower: float = 0.10,
    *,
    environments: Sequence[Fingerprint] = (made_up.HERE,),
    slow_environment: Fingerprint | None = None,
    draw: str = "normal",
) -> tuple[list[tuple[Path, Run]], set[str]]:
    """Runs of ``nodes``, and the names of the ``slow`` ones, which are ``slower`` as a share.

    Their environments are given out in turn, except those of the slow ones.
    """
    names = [f"node-{number:03}" for number in range(nodes)]
    chosen = set(rng.choice(names, slow, replace=False)) if slow else set()
    runs = []
    for number, name in enumerate(names):
        environment = environments[number % len(environments)]
        if name in chosen and slow_environment:
            environment = slow_environment
        off = BETWEEN_NODES * _drawn(rng, draw) + (np.log1p(slower) if name in chosen else 0.0)
        runs.append((Path(f"{name}.jsonl"), run(rng, name, off, environment)))
    return runs, chosen


def run(rng: np.random.Generator, name: str, off: float, environment: Fingerprint) -> Run:
    """What one node measured, ``off`` being its own deviation (a logarithm)."""
    results = [
        made_up.result(
            list(cost * np.exp(off + INSIDE * rng.normal(size=BLOCKS))), size=size, group=group
        )
        for group, (size, cost) in enumerate(CASES)
    ]
    made = made_up.run(*results, identity=f"20260101-000000-{name[-3:]}", fingerprint=environment)
    return replace(made, node=name)


def settings(**changes: str) -> Fingerprint:
    """The usual environment with other settings, or (``kernel``, ``cpu``) another machine."""
    made = made_up.HERE
    if "kernel" in changes:
        made = replace(made, kernel=changes.pop("kernel"))
    if "cpu" in changes:
        made = replace(made, machine={**made.machine, "cpu": changes.pop("cpu")})
    return replace(made, behaviour={**made.behaviour, **changes})


def _drawn(rng: np.random.Generator, draw: str) -> float:
    if draw == "normal":
        return float(rng.normal())
    if draw == "exponential":
        return float(rng.exponential() - 1)
    raise ValueError(draw)


def seeds(number: int) -> Iterator[np.random.Generator]:
    """So many generators, each of its own."""
    for seed in range(number):
        yield np.random.default_rng(seed)
