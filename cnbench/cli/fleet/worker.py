"""``cnbench fleet worker``: this machine measures what a scheduler hands out."""

from __future__ import annotations

from pathlib import Path

import click

from cnbench.cli.fleet.options import credentials_of, require_dask, tls_options
from cnbench.cli.machine import gc
from cnbench.measuring.guests.jobs import number_of_jobs


@click.command("worker")
@click.argument("scheduler", metavar="ADDRESS")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many groups it counts at once; by default as many as there are processors and memory"
    " for. What is timed has the machine to itself.",
)
@tls_options
def command(
    scheduler: str,
    jobs: int | None,
    tls_ca_file: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
) -> None:
    """Measure what the scheduler at ADDRESS hands out, until stopped.

    It tells the scheduler what this machine can measure, as `cnbench doctor` does. Whoever can talk
    to a scheduler can have this machine do anything: on a network that is not trusted, use TLS.

    \b
    Examples:
      cnbench fleet worker tcp://10.0.0.1:8786
      cnbench fleet worker tls://10.0.0.1:8786 \\
        --tls-ca-file ca.pem --tls-cert a.pem --tls-key a.key
    """
    require_dask()
    from cnbench.fleet.worker import serve

    credentials = credentials_of(tls_ca_file, tls_cert, tls_key)
    gc.sweep()
    serve(scheduler, number_of_jobs(jobs), credentials, _say_ready)


def _say_ready(name: str) -> None:
    click.echo(f"{name} is ready; Ctrl-C stops it.", err=True)
