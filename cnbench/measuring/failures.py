"""What is said of a case that could not be measured or not be proven."""

from __future__ import annotations

import errno
import os
import traceback
from collections.abc import Sequence

from cnbench.core.case import Case
from cnbench.core.errors import CnbenchError, CommandError, UnsupportedError
from cnbench.core.proof import Proof
from cnbench.core.run import CaseResult, Sample

_ALLOWED = "run as root with all capabilities, or in the guest lab: --lab guest"
_ROOM = "free some, or choose another place: TMPDIR=FOLDER"
_REMEDIES = {
    errno.EPERM: _ALLOWED,
    errno.EACCES: _ALLOWED,
    errno.EROFS: "it is read-only here: run outside of the container, or use --lab guest",
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.ENOMEM: "free some memory, or ask for less",
    errno.EAGAIN: "it is a limit on processes or memory: ulimit -u, or the cgroup's pids.max",
    errno.EMFILE: "allow more open files: ulimit -n",
    errno.ENFILE: "allow more open files: fs.file-max",
}


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
    refused = _what_the_kernel_says(error)
    if refused:
        return CaseResult(
            case,
            group,
            "failed",
            f"the kernel refuses it: {refused}",
            _REMEDIES[_number(error)],
            stderr="".join(traceback.format_exception(error)),
        )
    return CaseResult(
        case,
        group,
        "failed",
        f"{type(error).__name__}: {error}",
        "this is a fault in cnbench or in the experiment; the run file keeps the traceback",
        stderr="".join(traceback.format_exception(error)),
    )


def _number(error: Exception) -> int:
    """The error number (errno) that a call into the kernel gave, also by netlink; 0 for none."""
    number = getattr(error, "errno", None) or getattr(error, "code", None)
    return number if isinstance(number, int) else 0


def _what_the_kernel_says(error: Exception) -> str:
    """What a machine that lacks room or permission answers, which is no fault of ours."""
    number = _number(error)
    if number not in _REMEDIES:
        return ""
    where = getattr(error, "filename", None)
    return f"{where}: {os.strerror(number)}" if where else os.strerror(number)


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
