"""``cnbench export``: a run in the format of another tool."""

from __future__ import annotations

from pathlib import Path

import click

from cnbench.cli import completion
from cnbench.core.errors import UsageError
from cnbench.export import FORMATS, format_called
from cnbench.store import run_file, whole_file
from cnbench.store.output import check
from cnbench.store.runs import find_run


@click.command("export")
@click.argument("run", default="latest", shell_complete=completion.runs)
@click.option(
    "--to",
    "name",
    type=click.Choice([*FORMATS]),
    required=True,
    help="; ".join(f"{name}: {what}" for name, what in FORMATS.items()) + ".",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; without it, stdout.",
)
@click.option("--force", is_flag=True, help="Replace what is there, even if it is no export.")
def command(run: str, name: str, output: Path | None, force: bool) -> None:
    """Write RUN in the format of another tool. RUN is a file, an id, `latest` or `latest~1`.

    \b
    Examples:
      cnbench export --to csv > samples.csv
      cnbench export latest~1 --to parquet -o samples.parquet
      cnbench export before.jsonl --to pyperf -o before.json
      python -m pyperf stats before.json
      cnbench export --to markdown >> "$GITHUB_STEP_SUMMARY"
    """
    path = find_run(run)
    form = format_called(name)
    if output is None and form.BINARY:
        raise UsageError(f"{name} is no text", "name a file for it: -o FILE")
    if output is not None:
        begins = form.BEGINS
        check(
            output, f"{name} export", lambda begin: bool(begins and begin.startswith(begins)),
            force=force,
        )  # fmt: skip
    contents, left_out = form.exported(run_file.read(path))
    if output is None:
        click.echo(contents, nl=False)
    else:
        whole_file.write(output, contents, f"the {name} export")
        click.echo(f"Wrote {output}", err=True)
    for sentence in left_out:
        click.echo(f"Left out: {sentence}", err=True)
