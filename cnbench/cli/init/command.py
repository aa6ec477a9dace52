"""``cnbench init``: the suite in somebody else's repository, asking nothing it can find out."""

from __future__ import annotations

from pathlib import Path

import click

from cnbench.cli.options import Quantity
from cnbench.core.printable import printable
from cnbench.core.units import FRACTION, format_exact

# Counted instructions of the same thing differ by less than a fifth of it.
_FAIL_ON = "0.5%"


@click.command("init")
@click.argument("path", default=".", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--services-from",
    "services",
    default="",
    metavar="FILE",
    help="The file of Services and EndpointSlices to measure.  [default: that of most services]",
)
@click.option(
    "--fail-on",
    "margin",
    type=Quantity(FRACTION, "a margin"),
    default=_FAIL_ON,
    show_default=True,
    metavar="SHARE",
    help="The smallest regression that fails a change.",
)
@click.option(
    "--cnbench",
    "requirement",
    default="",
    metavar="REQUIREMENT",
    help="What pip installs there.  [default: this version, or where pip took it from]",
)
def command(path: Path, services: str, margin: float, requirement: str) -> None:
    """Set the suite up in the git repository PATH, whose services it then measures.

    Writes presets (cnbench.toml), benchmarks for asv, a script that any CI runs (ci/cnbench.sh) and
    a GitHub Actions workflow that runs it: each change is measured in counted instructions of a
    guest, commented on its pull request, and stopped if it makes connections dearer.
    What is there is left alone.

    \b
    Examples:
      cnbench init
      cnbench init . --services-from deploy/services.yaml --fail-on 1%
    """
    from cnbench.cli.init.finding import find
    from cnbench.cli.init.writing import write

    found = find(path, services, requirement)
    click.echo(printable(f"measured: {found.services}, {found.which}"))
    written = write(path, found, format_exact(margin, FRACTION))
    for name in written.new:
        click.echo(f"written: {name}")
    for name in written.left_alone:
        click.echo(f"left alone, it is there: {name}")
    click.echo(
        "\nNext:\n  git add --all && git commit    but not results/, reports/ and .cache/\n"
        "  ci/cnbench.sh HEAD^ HEAD       what the last change costs, as CI will say it\n"
        "  asv run                        the same over commits"
    )
