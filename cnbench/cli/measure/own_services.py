"""``--services-from``: a cluster's own services in place of made-up ones, for service-routing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from cnbench.core.errors import UsageError
from cnbench.core.parameter import Value
from cnbench.core.run import Request

F = TypeVar("F", bound=Callable[..., Any])
EXPERIMENT = "service-routing"
# Parameters that follow from the file, and which option says what they say.
_FOLLOWING = ("cluster", "service", "services", "endpoints")


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

    What the file holds goes into the request, and so into the run file and to a guest.

    Raises:
        UsageError: they cannot be programmed, the service or the node is not among them, or a
            parameter is given that follows from them.
    """
    if services_from is None:
        if service or node:
            raise UsageError("--service and --node are of a file's", "add --services-from FILE")
        return request
    if EXPERIMENT not in request.experiments:
        raise UsageError(f"--services-from is {EXPERIMENT}'s", f"measure {EXPERIMENT}")
    given = request.given.get(EXPERIMENT, {})
    if set_twice := [name for name in _FOLLOWING if name in given]:
        raise UsageError(
            f"--services-from says what {set_twice[0]} is", f"leave out -p {set_twice[0]}=..."
        )
    # Both need the experiment, which commands that measure nothing of it do not import.
    from cnbench.experiments.service_routing.halves import node_and_size
    from cnbench.proxy.objects.documents import read_documents
    from cnbench.proxy.objects.own import pack

    packed = pack(read_documents(services_from), node)
    name = f"{services_from.name}@{hashlib.sha256(packed.encode()).hexdigest()[:8]}"
    told, following = node_and_size(packed, given, service)
    click.echo(f"{services_from}: {told}", err=True)
    own: Mapping[str, tuple[Value, ...]] = {"cluster": (name,), **following}
    return replace(
        request,
        given={**request.given, EXPERIMENT: {**given, **own}},
        inputs={**request.inputs, name: packed},
    )
