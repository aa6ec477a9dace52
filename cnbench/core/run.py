"""What one ``cnbench run`` produced: the contents of a run file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from cnbench.core.case import Case
from cnbench.core.fingerprint import Fingerprint
from cnbench.core.metric import Metric
from cnbench.core.parameter import Value
from cnbench.core.proof import Proof

SCHEMA_VERSION = 3

Status = Literal["ok", "unsupported", "failed"]


@dataclass(frozen=True)
class Sample:
    """One observation.

    Attributes:
        block: the block it was taken in, from 0 in each repeat; what is paired has the same block.
        turn: its place in the block's order, from 0.
        values: metric name to value, in base units.
        started: seconds since the group's first block began, on the wall.
        duration: seconds it took, set-up of the sample included, on the wall.
        witness: what else happened on the machine meanwhile, by name (shares of 1).
        disturbances: why it is not to be trusted, as sentences; empty for a quiet sample.
        replaced: it was disturbed and measured again; not used for any statistic.
        setup: which of the case's set-ups it is of, from 0 in each repeat; None in a file that does
            not say (schema 1).
        repeat: which time round it is of, from 0: each has the whole plan anew, guests included.
    """

    block: int
    turn: int
    values: Mapping[str, float]
    started: float
    duration: float
    witness: Mapping[str, float] = field(default_factory=dict)
    disturbances: tuple[str, ...] = ()
    replaced: bool = False
    setup: int | None = None
    repeat: int = 0


@dataclass(frozen=True)
class CaseResult:
    """Everything that is known about one case after it was measured, or why it was not.

    Attributes:
        case: which point, where, on which clock.
        group: the number of the group it shared blocks with.
        status: ``ok``, ``unsupported`` or ``failed``.
        reason: one sentence, where it is not ok.
        remedy: what would make it ok, where something would.
        stderr: what a failed tool said.
        exit_status: what a failed tool exited with.
        samples: in the order taken, replaced ones included.
        twin: the same case once more in the same blocks (A′); only for a group's reference.
        proof: the evidence; without it the status is not ok.
        stopped: why sampling ended.
        setup: seconds its set-up took, on the wall.
        fingerprint: the digest of its environment.
    """

    case: Case
    group: int
    status: Status
    reason: str = ""
    remedy: str = ""
    stderr: str = ""
    exit_status: int | None = None
    samples: Sequence[Sample] = ()
    twin: Sequence[Sample] = ()
    proof: Proof = field(default_factory=Proof)
    stopped: str = ""
    setup: float = 0.0
    fingerprint: str = ""


@dataclass(frozen=True)
class ExperimentRecord:
    """What a run file says about an experiment, so that it can be read without its code.

    ``alike`` is why one set-up of a case stands for all; empty where nobody has shown that.
    """

    question: str
    variant: str
    metrics: tuple[Metric, ...]
    parameters: Mapping[str, str]
    caveat: str = ""
    alike: str = ""


@dataclass(frozen=True)
class Request:
    """What was asked for, so that ``--resume`` can go on from there.

    Attributes:
        experiments: their names, in the order asked for.
        full: full values instead of quick ones.
        given: experiment to parameter to the values given for it.
        lab: ``auto``, ``host`` or ``guest``.
        clock: ``auto``, ``wall`` or ``instructions``.
        budget: seconds for all sampling together; None where each group has its own.
        seed: of the block order.
        kernels: the guest kernels asked for.
        inputs: the contents of files that cases name, by that name.
        repeats: how many times the whole plan is carried out.
    """

    experiments: tuple[str, ...]
    full: bool
    given: Mapping[str, Mapping[str, tuple[Value, ...]]]
    lab: str
    clock: str
    budget: float | None
    seed: int
    kernels: tuple[str, ...] = ("trixie",)
    inputs: Mapping[str, str] = field(default_factory=dict)
    repeats: int = 1


@dataclass
class Run:
    """One run; grows by a case at a time.

    ``node`` is the machine's name among others, which its fingerprint does not have: two machines
    of one kind are one environment. Empty in a file that does not say.
    """

    id: str
    started: str
    cnbench: str
    request: Request
    experiments: dict[str, ExperimentRecord]
    schema: int = SCHEMA_VERSION
    format: Literal["cnbench-run"] = "cnbench-run"
    node: str = ""
    finished: str = ""
    fingerprints: dict[str, Fingerprint] = field(default_factory=dict)
    cases: list[CaseResult] = field(default_factory=list)
