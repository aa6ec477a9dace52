"""Runs and experiments that were never measured, for tests."""

from dataclasses import replace

from cnbench.core.case import Case
from cnbench.core.experiment import Experiment
from cnbench.core.fingerprint import Fingerprint
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter
from cnbench.core.proof import Proof, equal
from cnbench.core.run import CaseResult, ExperimentRecord, Request, Run, Sample

COST = Metric("cost", "s", "lower", "ratio", "what it costs")
ERROR = Metric("error", "1", "zero", "additive", "how wrong it is")
PROVEN = Proof((equal("as claimed", 1, 1),))
HERE = Fingerprint(
    lab="host",
    clock="wall",
    kernel="6.1.0",
    machine={"cpu": "abacus", "cpus": "2"},
    behaviour={"CONFIG_HZ": "250"},
    tools={"python": "3.11"},
)


def never_opened(params, lab):
    raise AssertionError("this experiment is never measured")


def experiment(name="made-up", metrics=(COST,), subject=never_opened, **changes):
    made = Experiment(
        name=name,
        question="How much is made up?",
        parameters=(
            Parameter("mode", "the variant", ("a", "b"), ("a", "b"), choices=("a", "b")),
            Parameter("size", "how big", (1, 2), (1, 2, 3), whole=True, minimum=1, maximum=9),
        ),
        metrics=metrics,
        variant="mode",
        subject=subject,
    )
    return replace(made, **changes)


def samples(values, metric="cost"):
    return tuple(
        Sample(
            block, 0, {metric: value}, started=float(block), duration=1.0, witness={"steal": 0.0}
        )
        for block, value in enumerate(values)
    )


def result(values, mode="a", size=1, group=0, metric="cost", twin=(), **changes):
    made = CaseResult(
        case=Case("made-up", {"mode": mode, "size": size}),
        group=group,
        status="ok",
        samples=samples(values, metric),
        twin=samples(twin, metric),
        proof=PROVEN,
        stopped="reached its target of ±0.01",
        fingerprint=HERE.digest,
    )
    return replace(made, **changes)


def run(*results, identity="20260101-000000-aaaa", metrics=(COST,), fingerprint=HERE):
    return Run(
        id=identity,
        started="2026-01-01T00:00:00+00:00",
        cnbench="0.1.0",
        request=Request(("made-up",), False, {"made-up": {}}, "auto", "auto", None, 1),
        experiments={
            "made-up": ExperimentRecord(
                "How much is made up?", "mode", metrics, {"mode": "", "size": ""}
            )
        },
        fingerprints={fingerprint.digest: fingerprint},
        cases=[replace(one, fingerprint=fingerprint.digest) for one in results],
    )
