"""``cnbench``: finds the command, runs it, and ends with its exit code.

What only a command needs, or only a failure, is imported inside functions: `cnbench --help` pays
for neither.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from typing import Any, cast

import click

from cnbench import __version__
from cnbench.cli import completion, streams
from cnbench.cli.lazy import LazyGroup

# A command's module is imported only when that command runs: `cnbench --help` answers at once.
COMMANDS = {
    "doctor": ("machine.doctor", "What this machine can measure, and what would supply the rest."),
    "list": ("machine.listing", "Experiments, their parameters, metrics and variants."),
    "run": ("measure.run", "Measure experiments, and keep the result as a run file."),
    "show": ("results.show", "What a run answers, and its tables."),
    "claims": ("results.claims", "What everybody says, tested on a run."),
    "compare": ("results.compare", "Compare two runs, or two variants live."),
    "baseline": ("results.baseline", "Runs that have a name, to compare later ones with."),
    "noise": ("results.noise", "What results here differ by, and what change could be found."),
    "report": ("results.report", "Write the HTML report."),
    "fleet": ("fleet.command", "Many machines: one plan on all of them, and who is odd."),
    "trend": ("results.trend", "Each case from run to run, as a page that opens offline."),
    "export": (
        "results.export",
        "Write a run as CSV, Parquet, JSON, pyperf, Markdown, OpenMetrics.",
    ),
    "history": ("measure.history", "Cost by kernel release, counted in guests and drawn by asv."),
    "behaviours": ("machine.behaviours", "What kernels do, and what changes from one to the next."),
    "cliffs": ("measure.cliffs", "Where a cost leaves its line as a parameter grows."),
    "profile": ("measure.profile", "Where the instructions of one case go, by function."),
    "init": ("init.command", "Set the suite up in a repository of yours, for its CI."),
    "guest": ("machine.guest", "Build, list and run guest machines."),
    "control-plane": ("machine.control_plane", "Build and list the servers of Kubernetes."),
    "schedule": (
        "kubernetes.schedule",
        "Say where a pod would go and why, and what would change that.",
    ),
    "services": ("kubernetes.services", "Print what kube-proxy would write for a set of services."),
    "kube-scheduler": (
        "kubernetes.kube_scheduler",
        "A run beside a running kube-scheduler's own figures.",
    ),
    "completion": ("machine.completing", "What has a shell complete cnbench's commands."),
    "manual": ("machine.manual", "The manual page, cnbench(1)."),
    "gc": ("machine.gc", "Remove what a killed run left behind."),
}

# What a shell reports for a command that was ended by Ctrl-C: 128 + SIGINT.
INTERRUPTED = 130


class _Commands(LazyGroup):
    """All commands, any of which a signal stops in order."""

    def invoke(self, ctx: click.Context) -> Any:
        """Import and run the command; from here on a signal stops it in order."""
        from cnbench.core import stopping

        with stopping.listening():
            return super().invoke(ctx)


@click.group(cls=_Commands, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cnbench")
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
    code: int = INTERRUPTED
    with contextlib.suppress(KeyboardInterrupt):
        streams.harden()
        warnings.showwarning = cast(Any, _show_warning)
        code = _run_command()
    sys.exit(code)


def _run_command() -> int:
    """Call the command that was asked for, and say in one sentence why it failed."""
    name = None  # that of the script or module that was started
    if completion.is_asked():
        completion.prepare()
        name = completion.PROGRAM
    try:
        code = cli.main(prog_name=name, standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped.", err=True)
        return INTERRUPTED
    except Exception as error:  # 1, which Python would end with, means worse
        from cnbench.cli import complaints

        return complaints.complain(error)
    return int(code or 0)


def _show_warning(message: Warning | str, category: type[Warning], *_where: object) -> None:
    from cnbench.cli import complaints

    complaints.warn(message, category)
