"""What can go wrong, as sentences for the user: what was wrong, where, and what to do next."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any


class ExitCode(enum.IntEnum):
    """The exit codes of every cnbench command."""

    FINE = 0
    WORSE = 1
    USAGE = 2
    INCONCLUSIVE = 3
    NOT_COMPARABLE = 4
    FAILED = 5


class CnbenchError(Exception):
    """Anything the user can understand and act on.

    ``str(error)`` is one sentence that says what was wrong and where; ``remedy`` says what to do
    about it, or is empty.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class UsageError(CnbenchError):
    """The command, a parameter or a file given by the user is not usable."""

    exit_code = ExitCode.USAGE


class ServiceError(UsageError):
    """A service, or a file of services, that cannot be programmed; the message names the object."""


class NotComparableError(CnbenchError):
    """Two results come from environments whose difference would explain any difference in them."""

    exit_code = ExitCode.NOT_COMPARABLE


class UnsupportedError(CnbenchError):
    """This machine cannot measure a case; the remedy names what would supply what is missing."""


class ProofError(CnbenchError):
    """A measurement ran, but not on the path it claims."""


class KernelError(CnbenchError):
    """The kernel refused what it was asked for; the message says what that was about."""


class CommandError(CnbenchError):
    """A tool that cnbench drives failed; ``stderr`` and ``exit_status`` are its own."""

    def __init__(self, argv: Sequence[str], exit_status: int, stderr: str) -> None:
        last_words = stderr.strip().splitlines()[-1:] or ["it printed nothing on stderr"]
        super().__init__(f"`{' '.join(argv)}` exited with {exit_status}: {last_words[0]}")
        self.argv = tuple(argv)
        self.exit_status = exit_status
        self.stderr = stderr

    def __reduce__(self) -> tuple[Any, ...]:
        """How it comes from one process to another: by what it is made of, not by its sentence."""
        return type(self), (self.argv, self.exit_status, self.stderr)
