"""Comparisons of runs that were never measured, by the functions of `cnbench compare`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from evidence.made import Way, case, run_of
from evidence.models import Model

from cnbench.analysis.compared import Compared
from cnbench.analysis.comparison import compare_cases, compare_runs
from cnbench.stats.verdict import Verdict


def compared(
    model: Model,
    way: Way,
    blocks: int,
    rng: np.random.Generator,
    *,
    shift: float = 0.0,
    margin: float = 0.02,
    cases: int = 1,
) -> list[Compared]:
    """What `cnbench compare` says of B against A, B being ``shift`` (a logarithm) costlier."""
    if way.shared:
        run = run_of("a", model, way, blocks, rng, shift=shift, cases=cases)
        pairs = [(case(number, "a"), case(number, "b")) for number in range(cases)]
        return compare_cases(run, pairs, paired=True, margin=margin)
    a = run_of("a", model, way, blocks, rng, cases=cases, repeats=way.repeats)
    b = run_of("b", model, way, blocks, rng, shift=shift, cases=cases, repeats=way.repeats)
    earlier = [
        run_of(
            f"before-{n}",
            model,
            way,
            blocks,
            rng,
            cases=cases,
            twins=False,
            repeats=way.repeats if way.repeated else 1,
        )
        for n in range(way.earlier)
    ]
    return compare_runs(a, b, margin=margin, force=False, earlier=earlier)


@dataclass
class Counts:
    """What came of many comparisons."""

    trials: int = 0
    held: int = 0
    bounded: int = 0
    called: int = 0
    unknown: int = 0
    widths: list[float] = field(default_factory=list)

    def add(self, found: list[Compared], truth: float) -> None:
        """Count one comparison of ``truth``, the ratio of B to A."""
        self.trials += 1
        first = found[0]
        self.bounded += first.effect.bounded
        self.held += first.effect.low <= truth <= first.effect.high
        self.called += any(
            one.judgement.verdict in (Verdict.WORSE, Verdict.BETTER) for one in found
        )
        self.unknown += bool(first.unknown)
        self.widths.append(first.effect.half_width)

    def share(self, count: int) -> float:
        """``count`` of the trials."""
        return count / self.trials


def counted(
    model: Model,
    way: Way,
    blocks: int,
    trials: int,
    seed: int,
    *,
    shift: float = 0.0,
    margin: float = 0.02,
    cases: int = 1,
) -> Counts:
    """``trials`` comparisons, the same data for every ``margin``."""
    counts = Counts()
    for number in range(trials):
        rng = np.random.default_rng([seed, blocks, number])
        counts.add(
            compared(model, way, blocks, rng, shift=shift, margin=margin, cases=cases),
            math.exp(shift),
        )
    return counts
