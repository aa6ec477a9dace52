"""``--services-from``: a cluster's own services in place of made-up ones, for service-routing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from cnbench.core.errors import UsageError
from cnbench.core.run import Request
from cnbench.measuring.own_services import EXPERIMENT, with_services_of

F = TypeVar("F", bound=Callable[..., Any])


def own_services_options(command: F) -> F:
    """Whose services; `with_own_services` reads them."""
    for option in (
        click.option(
            "--node",
            default="",
            metavar="NAME",
            help="The node of that cluster that is programmed.  [default: that of most endpoints]",
        ),
        click.option(
            "--service",
            default="",
            metavar="NAMESPACE/NAME[:PORT]",
            help="Which of them is addressed.  [default: by its position]",
        ),
        click.option(
            "--services-from",
            type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
            metavar="FILE",
            help=f"{EXPERIMENT}: Services and EndpointSlices of your own, as `kubectl get -o yaml`"
            " gives them.",
        ),
    ):
        command = option(command)
    return command


def with_own_services(
    request: Request, *, services_from: Path | None, service: str, node: str
) -> Request:
    """Give ``request`` for the services of a file, where one is given.

    Raises:
        UsageError: they cannot be programmed, the service or the node is not among them, or a
            parameter is given that follows from them.
    """
    if services_from is None:
        if service or node:
            raise UsageError("--service and --node are of a file's", "add --services-from FILE")
        return request
    about, told = with_services_of(services_from, request, service, node)
    click.echo(f"{services_from}: {told}", err=True)
    return about
