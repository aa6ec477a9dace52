"""``cnbench``: finds the command, and turns every error into a sentence and an exit code."""

from __future__ import annotations

import importlib
import os
import sys

import click

from cnbench import __version__
from cnbench.core.errors import CnbenchError, ExitCode, UsageError

# A command's module is imported only when that command runs: `cnbench --help` answers at once.
COMMANDS = {
    "doctor": ("machine.doctor", "What this machine can measure, and what would supply the rest."),
    "list": ("machine.listing", "Experiments, their parameters, metrics and variants."),
    "run": ("measure.run", "Measure experiments, and keep the result as a run file."),
    "show": ("results.show", "Show a run as a table."),
    "compare": ("results.compare", "Compare two runs, or two variants live."),
    "report": ("results.report", "Write the HTML report."),
    "history": ("measure.history", "Cost by kernel release, counted in guests and drawn by asv."),
    "guest": ("machine.guest", "Build, list and run guest machines."),
    "services": ("kubernetes.services", "Print what kube-proxy would write for a set of services."),
    "kube-scheduler": (
        "kubernetes.kube_scheduler",
        "A run beside a running kube-scheduler's own figures.",
    ),
    "gc": ("machine.gc", "Remove what a killed run left behind."),
}

# What a shell reports for a command that was ended by Ctrl-C: 128 + SIGINT.
INTERRUPTED = 130


class ReaderGoneError(Exception):
    """Who read our output (head, say) has gone."""


class LazyCommands(click.Group):
    """The commands of ``COMMANDS``, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command called ``name``, or None."""
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"cnbench.cli.{COMMANDS[name][0]}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Call the command; click itself would end a broken pipe with 1, which means worse here."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise ReaderGoneError from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Measure what the building blocks under every container platform cost, with proof.

    \b
    Start here:
      cnbench doctor            what can be measured on this machine
      cnbench run --quick       measure everything, in a few minutes
      cnbench report            look at it: reports/index.html
    """


def main() -> None:
    """The entry point."""
    try:
        sys.exit(cli.main(standalone_mode=False))
    except CnbenchError as error:
        sys.exit(complain(error))
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped.", err=True)
        sys.exit(INTERRUPTED)
    except ReaderGoneError:
        # There is nobody left to tell; what is still in the buffer would fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.FINE)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        sys.exit(complain(UsageError(f"{where}{error.strerror or error}")))


def complain(error: CnbenchError) -> ExitCode:
    """Say what went wrong and what to do, on stderr; gives the exit code."""
    click.echo(f"cnbench: {error}", err=True)
    if error.remedy:
        click.echo(f"         {error.remedy}", err=True)
    return error.exit_code
