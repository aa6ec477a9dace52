"""``cnbench manual``: the manual page."""

from __future__ import annotations

import click

from cnbench import __version__
from cnbench.cli import completion
from cnbench.cli.manual import page


@click.command("manual")
def command() -> None:
    """Print the manual page, cnbench(1): every command with its options.

    \b
    Examples:
      cnbench manual > cnbench.1
      cnbench manual > ~/.local/share/man/man1/cnbench.1
    """
    whole = click.get_current_context().find_root().command
    root = click.Context(whole, info_name=completion.PROGRAM)
    for line in page(root, __version__):
        click.echo(line)
