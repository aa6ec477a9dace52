"""What commands that write one HTML page have in common: where it goes, and what it replaces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from cnbench.store.output import check

F = TypeVar("F", bound=Callable[..., Any])

REPORT = "report"
# What a page of each kind says of itself at its begin; a report may be replaced by any of ours.
_TITLES = {REPORT: "<title>cnbench", "trend page": "<title>cnbench · trend</title>"}


def page_options(default: str, kind: str = REPORT) -> Callable[[F], F]:
    """``-o`` and ``--force`` of a command that writes a page of ``kind``, by default there."""

    def with_options(command: F) -> F:
        for option in (
            click.option(
                "--force",
                is_flag=True,
                help=f"Replace what is there, even if it is no {kind}.",
            ),
            click.option(
                "-o",
                "--output",
                type=click.Path(path_type=Path, dir_okay=False),
                default=Path(default),
                show_default=True,
                help="The file to write.",
            ),
        ):
            command = option(command)
        return command

    return with_options


def check_page(output: Path, kind: str = REPORT, *, force: bool) -> None:
    """Refuse to replace a file that is no page of ``kind``; raises UsageError."""
    title = _TITLES[kind].encode()
    check(output, kind, lambda begin: title in begin, force=force)
