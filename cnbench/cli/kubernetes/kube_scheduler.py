"""``cnbench kube-scheduler``: a run beside a running kube-scheduler's own figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import click
from rich.markup import escape

from cnbench.analysis.kube_scheduler import ServedBeside, beside, setting_of
from cnbench.analysis.rows import rows_of
from cnbench.cli import completion
from cnbench.cli.options import json_option
from cnbench.cli.wide_tables import Column, console, print_table
from cnbench.core.errors import UsageError
from cnbench.core.units import format_quantity
from cnbench.scheduler.inputs.kube_scheduler_metrics import (
    MetricsError,
    read_metrics,
    read_saved_metrics,
)
from cnbench.store import run_file
from cnbench.store.runs import find_run

_NOTES = (
    "per: what a figure is counted in. kube-scheduler calls Filter and Score once a node; a plugin"
    " here answers for all nodes, and what kube-scheduler does once a pod in PreFilter, PreScore"
    " and ScoreExtensionNormalize is part of that.",
    "kube-scheduler's are means since it started, on its cluster, of whatever size and pods; the"
    " ratio is theirs over ours for a known pod, or for a new one where ours is looked up, and"
    " compares machines and clusters too.",
)


@click.command("kube-scheduler")
@click.argument("run", default="latest", shell_complete=completion.runs)
@click.option("--metrics-url", metavar="URL", help="Its /metrics page.")
@click.option(
    "--metrics-file",
    type=click.File("rb"),
    metavar="FILE",
    help="The same page, saved; - is what is piped in.",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A bearer token that may read it.",
)
@click.option("--insecure", is_flag=True, help="Do not check its certificate (self-signed).")
@json_option
def command(
    run: str,
    metrics_url: str | None,
    metrics_file: BinaryIO | None,
    token_file: Path | None,
    insecure: bool,
    as_json: bool,
) -> None:
    """Show a run of scheduler-scoring beside a running kube-scheduler's own figures.

    \b
    Examples:
      cnbench kube-scheduler --metrics-url http://127.0.0.1:10251/metrics
      cnbench kube-scheduler latest~1 \\
        --metrics-url https://127.0.0.1:10259/metrics \\
        --token-file token --insecure
      cnbench kube-scheduler --metrics-file metrics.txt
    """
    if (metrics_url is None) == (metrics_file is None):
        raise UsageError(
            "kube-scheduler's figures are at an address or in a file",
            "give one of --metrics-url URL and --metrics-file FILE",
        )
    path = find_run(run)
    rows = rows_of(run_file.read(path))
    setting = setting_of(rows)
    if setting is None:
        raise UsageError(
            f"{path} has no results of scheduler-scoring on a made-up cluster",
            "measure some: cnbench run scheduler-scoring --quick",
        )
    token = token_file.read_text().strip() if token_file else ""
    try:
        if metrics_file is not None:
            figures = read_saved_metrics(metrics_file, getattr(metrics_file, "name", "-"))
        else:
            figures = read_metrics(str(metrics_url), token, verify=not insecure)
    except MetricsError as error:
        raise UsageError(f"kube-scheduler's metrics cannot be read: {error}") from None
    found = beside(rows, setting, figures)
    if as_json:
        rows_as_json = [served.as_json() for served in found]
        click.echo(json.dumps({"file": str(path), "setting": setting, "rows": rows_as_json}))
        return
    _print(found, setting)


def _print(rows: Sequence[ServedBeside], setting: Mapping[str, object]) -> None:
    title = (
        f"scheduler-scoring on {setting['nodes']} nodes, {setting['pods']} pods a node,"
        f" {setting['scored']} scored, beside a kube-scheduler"
    )
    out = console()
    print_table(out, list(_columns(rows)), title)
    for note in _NOTES:
        out.print(f"[dim]{note}[/]")


def _columns(rows: Sequence[ServedBeside]) -> Iterator[Column]:
    yield Column("plugin", tuple(escape(served.plugin) or "(all)" for served in rows), telling=True)
    points = tuple(escape(served.extension_point) for served in rows)
    yield Column("extension point", points, telling=True)
    yield Column("per", tuple(served.per for served in rows), telling=True)
    figures: dict[str, Callable[[ServedBeside], str]] = {
        "known pod": _known,
        "new pod": lambda served: _time(served.new),
        "kube-scheduler": lambda served: _time(served.theirs),
        "observations": lambda served: f"{served.count:,}" if served.count else "–",
        "ratio": lambda served: f"{served.ratio:.3g}" if served.ratio else "–",
    }
    for heading, show in figures.items():
        yield Column(heading, tuple(map(show, rows)), right=True)


def _known(served: ServedBeside) -> str:
    return f"{_time(served.known)} [dim]looked up[/]" if served.looked_up else _time(served.known)


def _time(seconds: float | None) -> str:
    return "–" if seconds is None else format_quantity(seconds, "s")
