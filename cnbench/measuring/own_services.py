"""A request for service-routing about a cluster's own services, in place of made-up ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from cnbench.core.errors import UsageError
from cnbench.core.parameter import Value
from cnbench.core.run import Request

EXPERIMENT = "service-routing"
# Parameters that follow from the file, and which option says what they say.
_FOLLOWING = ("cluster", "service", "services", "endpoints")


def with_services_of(
    file: Path, request: Request, service: str = "", node: str = ""
) -> tuple[Request, str]:
    """``request`` about the services of ``file``, and in a few words which these are.

    What the file holds goes into the request, and so into the run file and to a guest.

    Args:
        file: Services and EndpointSlices, as `kubectl get -o yaml` gives them.
        request: it measures service-routing, among others perhaps.
        service: the one that is addressed, as namespace/name[:port]; empty for one by its position.
        node: the node that is programmed; empty for the one of most endpoints.

    Raises:
        UsageError: they cannot be programmed, the service or the node is not among them, or a
            parameter is given that follows from them.
    """
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

    packed = pack(read_documents(file), node)
    name = f"{file.name}@{hashlib.sha256(packed.encode()).hexdigest()[:8]}"
    told, following = node_and_size(packed, given, service)
    own: Mapping[str, tuple[Value, ...]] = {"cluster": (name,), **following}
    about = replace(
        request,
        given={**request.given, EXPERIMENT: {**given, **own}},
        inputs={**request.inputs, name: packed},
    )
    return about, told
