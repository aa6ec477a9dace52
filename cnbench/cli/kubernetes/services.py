"""``cnbench services``: what kube-proxy would write for a set of services."""

from __future__ import annotations

from pathlib import Path

import click

from cnbench.core.errors import UsageError
from cnbench.proxy import MODES, generate, synthetic_services
from cnbench.proxy.manifest import load_services


@click.group("services")
def command() -> None:
    """Programs that kube-proxy writes for services, without applying them.

    \b
    Example:
      cnbench services generate --mode iptables --services 3
    """


@command.command("generate")
@click.option("--mode", type=click.Choice(MODES), required=True, help="kube-proxy's mode.")
@click.option(
    "--services",
    "count",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="Made-up services.",
)
@click.option(
    "--endpoints",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    help="Endpoints of each.",
)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Services and EndpointSlices, YAML or JSON, as `kubectl get -o yaml` gives them.",
)
def generate_(mode: str, count: int, endpoints: int, source: Path | None) -> None:
    """Print the program for made-up services, or for those of your own cluster.

    \b
    Examples:
      cnbench services generate --mode iptables --services 3 --endpoints 2
      kubectl get services,endpointslices -A -o yaml > mine.yaml
      cnbench services generate --mode nftables --from mine.yaml
    """
    try:
        made = load_services(source, mode=mode) if source else synthetic_services(count, endpoints)
    except ValueError as error:
        raise UsageError(str(error), "ask for fewer") from error
    click.echo(generate(mode, made), nl=False)
