"""``cnbench claims``: what everybody says about these primitives, and what a run says to it."""

from __future__ import annotations

import json

import click

from cnbench.analysis.answers import claims_of
from cnbench.analysis.chapters import chapters_of
from cnbench.cli import completion
from cnbench.cli.options import json_option
from cnbench.cli.results.answers_text import print_claims
from cnbench.cli.wide_tables import console
from cnbench.store import run_file
from cnbench.store.runs import find_run


@click.command("claims")
@click.argument("run", default="latest", shell_complete=completion.runs)
@json_option
def command(run: str, as_json: bool) -> None:
    """Test what everybody says on what RUN has measured (by default the latest).

    Each statement is confirmed, refuted, inconclusive or not testable here, with the figure that
    decided and the command that measures it again.

    \b
    Examples:
      cnbench claims
      cnbench claims latest~1 --json
    """
    path = find_run(run)
    measured = run_file.read(path)
    claims = claims_of(chapters_of([measured]))
    if as_json:
        found = [finding.as_json() for _, findings in claims for finding in findings]
        click.echo(json.dumps({"run": measured.id, "file": str(path), "claims": found}, indent=1))
        return
    print_claims(console(), claims)
