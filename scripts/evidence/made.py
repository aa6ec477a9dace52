"""Runs that were never measured, as `cnbench run` would have written them."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from evidence.models import Floats, Model

from cnbench.core.case import Case
from cnbench.core.fingerprint import Fingerprint
from cnbench.core.metric import Metric
from cnbench.core.proof import Proof, equal
from cnbench.core.run import CaseResult, ExperimentRecord, Request, Run
from cnbench.store.columns import Columns, Numbers

COST = Metric("cost", "s", "lower", "ratio", "what it costs")
HERE = Fingerprint("host", "wall", "6.12.0", {"cpus": "2"}, {}, {})
_DIGEST = HERE.digest
_PROVEN = Proof((equal("as claimed", 1, 1),))


@dataclass(frozen=True)
class Way:
    """How a comparison is made.

    Attributes:
        shared: A and B in the blocks of one run (``--vary``), else in separate runs.
        setups: set-ups a case.
        alike: whether the experiment has shown that one set-up stands for all.
        repeats: runs a side.
        earlier: earlier runs of the same environment.
        repeated: whether these have as many repeats.
    """

    shared: bool = False
    setups: int = 1
    alike: bool = True
    repeats: int = 1
    earlier: int = 0
    repeated: bool = False


def case(number: int, mode: str) -> Case:
    """Case ``number`` of a grid, in the variant ``mode``."""
    return Case("made-up", {"mode": mode, "size": number})


def run_of(
    identity: str,
    model: Model,
    way: Way,
    blocks: int,
    rng: np.random.Generator,
    *,
    shift: float = 0.0,
    cases: int = 1,
    repeats: int = 1,
    twins: bool = True,
) -> Run:
    """A run of ``cases`` cases, each with A′, and each with a variant B if blocks are shared.

    What runs differ by is drawn for each case. ``shift`` is the logarithm of what B costs over A:
    of the variant, or of all of a run that holds no variants. ``twins`` may be left out of earlier
    runs, of which nobody looks at them.
    """
    sides = 3 if way.shared else 1 + twins
    drawn = model.runs_of(rng, cases * repeats, sides, blocks, way.setups)
    if way.shared:
        drawn[:, 2] += shift
    else:
        drawn += shift
    drawn = drawn.reshape(cases, repeats, sides, blocks)
    drawn += model.sessions * rng.standard_normal((cases, 1, 1, 1)) if model.sessions else 0.0
    values = np.exp(drawn).swapaxes(1, 2)
    results = [one for number in range(cases) for one in _results(number, values[number], way)]
    return Run(
        id=identity,
        started="2026-01-01T00:00:00+00:00",
        cnbench="",
        request=Request(("made-up",), False, {"made-up": {}}, "auto", "auto", None, 1),
        experiments={
            "made-up": ExperimentRecord(
                "?", "mode", (COST,), {"mode": "", "size": ""}, alike="shown" if way.alike else ""
            )
        },
        fingerprints={_DIGEST: HERE},
        cases=results,
    )


def _results(number: int, values: Floats, way: Way) -> list[CaseResult]:
    """The results of a case, from the values of A, A′ and B, shape (sides, repeats, blocks)."""
    a, *others = (_samples(side, way.setups) for side in values)
    twin = others[0] if others else ()
    first = CaseResult(case(number, "a"), number, "ok", samples=a, twin=twin,
                       proof=_PROVEN, fingerprint=_DIGEST)  # fmt: skip
    if not way.shared:
        return [first]
    other = CaseResult(case(number, "b"), number, "ok", samples=others[1], proof=_PROVEN,
                       fingerprint=_DIGEST)  # fmt: skip
    return [first, other]


def _samples(values: Floats, setups: int) -> Columns:
    """Samples as they are read from a run file: a quarter of a grid's time went into others."""
    repeats, blocks = values.shape
    columns = {**_labels(repeats, blocks, setups), "values.cost": array("d", values.tobytes())}
    return Columns(values.size, tuple(columns), columns.__getitem__, dict)


@cache
def _labels(repeats: int, blocks: int, setups: int) -> Mapping[str, Numbers]:
    """Which block, set-up and repeat each sample is of, and when it was taken."""
    block = list(range(blocks)) * repeats
    return {
        "block": array("q", block),
        "turn": array("q", bytes(8 * len(block))),
        "started": array("d", block),
        "duration": array("d", [1.0]) * len(block),
        "setup": array("q", [one % setups for one in block]),
        "repeat": array("q", [repeat for repeat in range(repeats) for _ in range(blocks)]),
    }
