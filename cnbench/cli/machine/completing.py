"""``cnbench completion``: what has a shell complete cnbench's commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from cnbench.cli import completion


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print what has SHELL complete commands, experiments, parameters, presets and runs.

    \b
    Examples:
      eval "$(cnbench completion bash)"      in ~/.bashrc
      eval "$(cnbench completion zsh)"       in ~/.zshrc
      cnbench completion fish > ~/.config/fish/completions/cnbench.fish
    """
    completion.prepare()
    shown = get_completion_class(shell)
    assert shown is not None  # noqa: S101  click has all three
    whole = click.get_current_context().find_root().command
    click.echo(shown(whole, {}, completion.PROGRAM, completion.VARIABLE).source())
