"""``cnbench show``: a run as a table."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from cnbench.analysis.rows import rows_of
from cnbench.cli.options import json_option
from cnbench.cli.results.published_table import show_beside_published
from cnbench.cli.tables import print_run
from cnbench.core.run import Run
from cnbench.store import run_file
from cnbench.store.runs import find_run


@click.command("show")
@click.argument("run", default="latest")
@click.option("--published", is_flag=True, help="Beside what others have published instead.")
@json_option
def command(run: str, published: bool, as_json: bool) -> None:
    """Show a run as a table. RUN is a file, an id, `latest` (the default) or `latest~1`.

    \b
    Examples:
      cnbench show
      cnbench show latest~1 --json
      cnbench show --published
    """
    path = find_run(run)
    if published:
        show_beside_published(run_file.read(path), path, as_json=as_json)
    else:
        show_run(run_file.read(path), path, as_json=as_json)


def show_run(run: Run, path: Path, *, as_json: bool, **more: object) -> None:
    """Print a run on stdout, as tables or as one JSON object, which has what is ``more`` too."""
    rows = rows_of(run)
    if not as_json:
        print_run(run, rows, path)
        return
    found = {
        "run": run.id,
        "file": str(path),
        "started": run.started,
        "finished": run.finished,
        "environments": {
            digest: asdict(environment) for digest, environment in run.fingerprints.items()
        },
        "rows": [row.as_json() for row in rows],
        **more,
    }
    click.echo(json.dumps(found, indent=1))
