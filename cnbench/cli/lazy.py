"""Groups of commands, each of which is imported when it is called, and not to list it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem


class LazyGroup(click.Group):
    """A group whose commands are in modules of their own, each called ``command`` there.

    Args:
        lazy: the module below ``cnbench.cli`` and the summary of each command, by its name, in the
            order a newcomer needs them.
    """

    def __init__(self, *args: Any, lazy: Mapping[str, tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in their order."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command called ``name``, or None."""
        if name not in self._lazy:
            return None
        module = importlib.import_module(f"cnbench.cli.{self._lazy[name][0]}")
        command: click.Command = module.command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """What a shell completes to the name of a command, without importing any."""
        return [
            CompletionItem(name, help=summary)
            for name, (_, summary) in self._lazy.items()
            if name.startswith(incomplete)
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in self._lazy.items()])
