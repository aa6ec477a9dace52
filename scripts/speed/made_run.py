"""A run of any size that was never measured: the quick grid of every experiment, random values.

Each case has its experiment's headline metric alone. ``made_run.py 1100000 run.json`` writes it as
the one JSON object that every cnbench reads, ``run.jsonl`` as this one records it.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cnbench.core.case import Case, Group
from cnbench.core.fingerprint import Fingerprint
from cnbench.core.metric import Metric
from cnbench.core.proof import Proof, equal
from cnbench.core.run import CaseResult, Request, Run, Sample
from cnbench.experiments.registry import experiment_called, names
from cnbench.measuring.events import CaseEnded
from cnbench.measuring.plan import make_plan
from cnbench.measuring.venues import all_on_host
from cnbench.store.recorder import Recorder, new_run
from cnbench.store.runs import SUFFIX

HERE = Fingerprint("host", "wall", "6.12.0", {"cpu": "made up", "cpus": "2"}, {}, {})
SETUPS = 8
# Of a busy machine: every fiftieth sample was disturbed and used all the same.
DISTURBED = 0.02
_WITNESSES = ("run_delay", "steal", "softirq", "busy", "cpu_pressure")


def made_run(samples: int, seed: int = 1) -> tuple[Run, Iterator[CaseResult]]:
    """A run without cases, and its cases one by one: ``samples`` in all, A' included."""
    experiments = names()
    request = Request(
        experiments, False, {name: {} for name in experiments}, "host", "wall", None, seed
    )
    run = new_run(request, map(experiment_called, experiments))
    run.fingerprints[HERE.digest] = HERE
    groups = make_plan(request, experiment_called, all_on_host).groups
    each = round(samples / sum(len(group.cases) + 1 for group in groups))
    return run, _cases(groups, each, np.random.default_rng(seed))


def _cases(groups: tuple[Group, ...], each: int, rng: np.random.Generator) -> Iterator[CaseResult]:
    for group in groups:
        for position, case in enumerate(group.cases):
            twin = _samples(case, each, rng) if position == 0 else ()
            yield CaseResult(
                case, group.number, "ok", samples=_samples(case, each, rng), twin=twin,
                proof=Proof((equal("packets that took the path", each, each),)),
                stopped="reached its target of ±1 %", setup=0.01, fingerprint=HERE.digest,
            )  # fmt: skip


def _samples(case: Case, count: int, rng: np.random.Generator) -> tuple[Sample, ...]:
    headline = experiment_called(case.experiment).metrics[0]
    values = _values(headline, count, rng)
    duration = rng.lognormal(-6, 0.1, count)
    started = np.cumsum(duration) + rng.random()
    witness = np.zeros((count, len(_WITNESSES)))
    witness[:, 0] = rng.exponential(1e-3, count)
    witness[:, 3:] = rng.random((count, 2))
    disturbed = rng.random(count) < DISTURBED
    witness[disturbed, 0] += 0.02
    return tuple(
        Sample(
            block, int(rng.integers(4)), {headline.name: values[block]}, float(started[block]),
            float(duration[block]), dict(zip(_WITNESSES, witness[block].tolist(), strict=True)),
            _why(witness[block, 0]) if disturbed[block] else (), setup=block % SETUPS,
        )
        for block in range(count)
    )  # fmt: skip


def _values(metric: Metric, count: int, rng: np.random.Generator) -> list[float]:
    if metric.scale == "ratio":
        return list(rng.lognormal(-10, 0.02, count).tolist())
    return list(rng.normal(0, 0.01, count).tolist())


def _why(delay: float) -> tuple[str, ...]:
    return (f"the sampler waited for a CPU {delay:.1%} of the time",)


def as_recorded(run: Run, cases: Iterator[CaseResult], path: Path) -> None:
    """Write a run as ``cnbench run`` does, case by case."""
    recorder = Recorder(run, path)
    recorder.begin()
    for case in cases:
        recorder.listen(CaseEnded(case))
    recorder.finish(complete=True)


def as_one_object(run: Run, cases: Iterator[CaseResult], path: Path) -> None:
    """Write a run as every version reads it: schema 1, in the layout that these had."""
    head = msgspec.to_builtins(dataclasses.replace(run, schema=1))
    del head["cases"]
    with path.open("wb") as file:
        file.write(_indented(head)[:-2] + b',\n "cases": [')
        for number, case in enumerate(cases):
            text = _indented(_of_schema_1(case)).replace(b"\n", b"\n  ")
            file.write((b"," if number else b"") + b"\n  " + text)
        file.write(b"\n ]\n}\n")


def _indented(plain: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(plain), indent=1)


def _of_schema_1(case: CaseResult) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(case)
    for sample in (*plain["samples"], *plain["twin"]):
        del sample["setup"], sample["repeat"]
    return plain


if __name__ == "__main__":
    write = as_recorded if Path(sys.argv[2]).suffix == SUFFIX else as_one_object
    write(*made_run(int(sys.argv[1])), Path(sys.argv[2]))
