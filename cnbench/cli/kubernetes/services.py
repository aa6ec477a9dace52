"""``cnbench services``: what kube-proxy would write for a set of services."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cnbench.cli.kubernetes.node_options import node_of, node_options
from cnbench.proxy import MODES, POD_NETWORK, POD_NETWORK6, generate, synthetic_services
from cnbench.proxy.family import Family
from cnbench.proxy.objects.manifest import load_services


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
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    help="Services and EndpointSlices, YAML or JSON, as `kubectl get -o yaml` gives them; - is the"
    " standard input.",
)
@click.option(
    "--family",
    type=click.Choice([family.value for family in Family]),
    default=Family.IPV4.value,
    show_default=True,
    help="Which of kube-proxy's two proxiers; each has a program of its own.",
)
@node_options
def generate_(
    mode: str, count: int, endpoints: int, source: Path | None, family: str, **described: Any
) -> None:
    """Print the program for made-up services, or for those of your own cluster, on one node.

    \b
    Examples:
      cnbench services generate --mode iptables --services 3 --endpoints 2
      kubectl get services,endpointslices -A -o yaml > mine.yaml
      cnbench services generate --mode nftables --from mine.yaml --node worker-1 \\
          --node-address 192.0.2.7 --pod-cidr 10.244.0.0/16
    """
    if source is None:
        described["pod_cidrs"] = described["pod_cidrs"] or (f"{POD_NETWORK},{POD_NETWORK6}",)
    node = node_of(Family(family), **described)
    if source is None:
        services = synthetic_services(count, endpoints, family=Family(family))
    else:
        reading = load_services(source, mode=mode, node=node)
        services = reading.services
        for note in reading.notes:
            click.echo(f"note: {note}", err=True)
    click.echo(generate(mode, services, node), nl=False)
