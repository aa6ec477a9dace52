"""``cnbench gc``: remove what a killed run left behind."""

from __future__ import annotations

import click

from cnbench.core.errors import CnbenchError
from cnbench.core.printable import printable
from cnbench.core.units import format_count
from cnbench.lab.journal import collect
from cnbench.store.runs import results_folder
from cnbench.store.whole_file import remove_unfinished


@click.command("gc")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def command(dry_run: bool) -> None:
    """Remove what a killed run left behind.

    That is processes, cgroups, mounts, folders, loop devices and half-written run files. Runs that
    are still alive are left alone, and so is everything that cnbench did not make.

    \b
    Example:
      cnbench gc --dry-run
    """
    found, problems = collect(dry_run=dry_run)
    for resource in found:
        verb = "would remove" if dry_run else "removed"
        click.echo(printable(f"{verb} {resource.kind} {resource.what}"))
    unfinished = remove_unfinished(results_folder(), dry_run=dry_run)
    for path in unfinished:
        verb = "would remove" if dry_run else "removed"
        click.echo(printable(f"{verb} the half-written {path}"))
    if not found and not problems and not unfinished:
        click.echo("Nothing was left behind.")
    if problems:
        raise CnbenchError("; ".join(problems), "the journal still has them: try again, as root")


def sweep() -> None:
    """Collect before a measurement, and say so where there was something to collect."""
    found, problems = collect()
    if found:
        what = format_count(len(found), "thing")
        click.echo(f"Removed {what} that a killed run had left behind.", err=True)
    for problem in problems:
        click.echo(printable(f"cnbench: {problem}"), err=True)
