"""``cnbench fleet``: what concerns many nodes at once."""

from __future__ import annotations

import importlib

import click

# A command's module is imported only when that command runs, or is helped with.
_COMMANDS = {
    "run": ("run", "Measure one plan on many machines."),
    "worker": ("worker", "Have this machine measure what a scheduler hands out."),
    "node-network": ("node_network", "Measure the network between two of them."),
    "manifest": ("manifest", "Print what has Kubernetes measure on each of some nodes."),
    "report": ("report", "Say which of many nodes are odd, and write a page."),
}


class _LazyCommands(click.Group):
    """The commands of ``_COMMANDS``, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order in which they are used."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command called ``name``, or None."""
        if name not in _COMMANDS:
            return None
        module = importlib.import_module(f"cnbench.cli.fleet.{_COMMANDS[name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])


@click.group("fleet", cls=_LazyCommands)
def command() -> None:
    """Measure on many nodes, and look at them together.

    A run file says which node it is of: the machine's name, or CNBENCH_NODE where a container has
    a name of its own.

    \b
    Examples:
      cnbench fleet worker tcp://10.0.0.1:8786
      cnbench fleet run cpu-quota --scheduler tcp://10.0.0.1:8786 --every-node -o gathered/
      cnbench fleet report gathered/
    """
