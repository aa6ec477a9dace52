"""What is said of a case that could not be measured or not be proven."""

from __future__ import annotations

import traceback
from collections.abc import Sequence

from cnbench.core.case import Case
from cnbench.core.errors import CnbenchError, CommandError, UnsupportedError
from cnbench.core.proof import Proof
from cnbench.core.run import CaseResult, Sample


def failure(case: Case, group: int, error: Exception) -> CaseResult:
    """The result of a case that could not be measured, with everything the error knows."""
    if isinstance(error, UnsupportedError):
        return CaseResult(case, group, "unsupported", str(error), error.remedy)
    if isinstance(error, CommandError):
        return CaseResult(
            case, group, "failed", str(error), error.remedy,
            stderr=error.stderr, exit_status=error.exit_status,
        )  # fmt: skip
    if isinstance(error, CnbenchError):
        return CaseResult(case, group, "failed", str(error), error.remedy)
    return CaseResult(
        case,
        group,
        "failed",
        f"{type(error).__name__}: {error}",
        "this is a fault in cnbench or in the experiment; the run file keeps the traceback",
        stderr="".join(traceback.format_exception(error)),
    )


def without_twin(case: Case, error: Exception) -> str:
    """Why a reference has no noise floor, as a sentence."""
    return f"{case.point} has no noise floor: measuring it twice failed: {error}"


def what_is_not_proven(proof: Proof, samples: Sequence[Sample] = ()) -> str:
    """The first claim of ``proof`` that does not hold, and that the machine was busy if it was."""
    if not proof.checks:
        return "there is no proof of what was measured"
    check = proof.broken[0]
    what = f"not proven: {check.claim}: expected {check.expected}, observed {check.observed}"
    disturbed = [sample for sample in samples if sample.disturbances]
    if not disturbed:
        return what
    return (
        f"{what}; the machine was busy in {len(disturbed)} of {len(samples)} samples "
        f"({disturbed[0].disturbances[0]})"
    )
