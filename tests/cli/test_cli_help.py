"""Every command's help, on a terminal of 80 columns."""

import click
import pytest

from cnbench.cli.main import cli

COLUMNS = 80


def commands(command, name, parent=None):
    context = click.Context(command, info_name=name, parent=parent)
    yield context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), name, context)


ALL = list(commands(cli, "cnbench"))


@pytest.mark.parametrize("context", ALL, ids=[context.command_path for context in ALL])
def test_no_line_is_wider_than_the_terminal(context):
    context.terminal_width = COLUMNS
    help_text = context.command.get_help(context)
    assert [line for line in help_text.splitlines() if len(line) > COLUMNS] == []


def test_all_commands_are_looked_at():
    paths = {context.command_path for context in ALL}
    assert {"cnbench", "cnbench run", "cnbench fleet node-network"} <= paths
