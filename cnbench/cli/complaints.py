"""Every error as a sentence for its user, and the exit code that goes with it."""

from __future__ import annotations

import io
import os
import traceback

import click

from cnbench.core.errors import CnbenchError, ExitCode, UsageError
from cnbench.core.printable import printable

DEBUG_VARIABLE = "CNBENCH_DEBUG"


def complain(error: Exception) -> ExitCode:
    """Say on stderr what went wrong and what to do; gives the exit code."""
    if isinstance(error, click.ClickException):
        click.echo(_explained(error), err=True)
        return ExitCode.USAGE
    ours = _in_our_words(error)
    click.echo(f"cnbench: {printable(str(ours))}", err=True)
    if ours.remedy:
        click.echo(f"         {printable(ours.remedy)}", err=True)
    return ours.exit_code


def warn(message: Warning | str, category: type[Warning]) -> None:
    """Say a warning of ours as a sentence; those of libraries are for developers."""
    if issubclass(category, UserWarning):
        click.echo(f"cnbench: {printable(str(message))}", err=True)


def _explained(error: click.ClickException) -> str:
    """As ``error.show()`` does, without what a terminal would obey."""
    said = io.StringIO()
    error.show(file=said)
    return printable(said.getvalue().rstrip("\n"))


def _in_our_words(error: Exception) -> CnbenchError:
    if isinstance(error, CnbenchError):
        return error
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return UsageError(f"{where}{error.strerror or error}")
    return _fault_of_ours(error)


def _fault_of_ours(error: Exception) -> CnbenchError:
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(error)
    said = " ".join(str(error).split())
    return CnbenchError(
        f"a fault in cnbench: {type(error).__name__}: {said}",
        f"{DEBUG_VARIABLE}=1 shows where; please report it with that",
    )
