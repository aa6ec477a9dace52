"""Services from files of Kubernetes objects: Service and EndpointSlice, as kubectl writes them.

What becomes of them is kube-proxy's (kubernetes/kubernetes, pkg/proxy, release 1.35); what its
informers leave out is in cmd/kube-proxy/app/server.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnbench.core.errors import ServiceError
from cnbench.proxy.family import family_of
from cnbench.proxy.model import Service, ServiceKey
from cnbench.proxy.node import Node
from cnbench.proxy.objects.documents import HOW_TO_GET, read_documents, unpacked
from cnbench.proxy.objects.fields import KubernetesObject
from cnbench.proxy.objects.notes import notes_of
from cnbench.proxy.objects.service import cluster_ips, service_of
from cnbench.proxy.validation import validate

# Whatever has one of these is another proxy's, or nobody's: kube-proxy does not even watch it.
_LEFT_OUT = ("service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file of objects comes to on one node.

    Attributes:
        services: those that the node's proxier programs, in the file's order.
        notes: what was passed over, or is not known of the node, in sentences for the user.
    """

    services: list[Service]
    notes: tuple[str, ...] = ()


def load_services(path: Path, *, mode: str, node: Node | None = None) -> Reading:
    """Read a file of Kubernetes objects, YAML or JSON, for one node and family, validated.

    ``-`` is the standard input.

    Raises:
        ServiceError: it cannot be read, has no service, or one that cannot be programmed in
            ``mode``; the message names the file or the object.
    """
    return read_services(read_documents(path), mode=mode, node=node or Node(), source=str(path))


def read_services(documents: object, *, mode: str, node: Node, source: str) -> Reading:
    """Make services of what a file was parsed to, validated; ``source`` is the file's name.

    Raises:
        ServiceError: as `load_services`.
    """
    try:
        objects = _objects(documents)
    except RecursionError as error:
        raise ServiceError(f"{source}: is nested too deeply to be Kubernetes objects") from error
    services = _services_of(objects, node)
    if not any(each.kind == "Service" for each in objects):
        raise ServiceError(f"{source}: has no Service that is kube-proxy's", HOW_TO_GET)
    validate(services, mode=mode, family=node.family)
    return Reading(services, tuple(notes_of(objects, services, node, mode)))


def services_from(objects: Iterable[object], node: Node | None = None) -> list[Service]:
    """Turn parsed objects into services, in their order; lists of objects are unpacked.

    External names have no address to program and are left out, as kube-proxy does, and so is what
    is labelled as another proxy's or as headless, and what is of the other family than ``node``.

    Raises:
        ServiceError: an object is not what it should be; the message names it.
    """
    return _services_of(_objects(list(objects)), node or Node())


def _objects(documents: object) -> list[KubernetesObject]:
    found = [
        KubernetesObject(each, kind, f"object {number}")
        for number, (each, kind) in enumerate(unpacked(documents), start=1)
    ]
    for each in found:
        if each.kind not in ("Service", "EndpointSlice"):
            raise ServiceError(
                f"{each}: only Service and EndpointSlice objects are read here", HOW_TO_GET
            )
    return [each for each in found if not any(label in each.labels for label in _LEFT_OUT)]


def _services_of(objects: Sequence[KubernetesObject], node: Node) -> list[Service]:
    slices: dict[ServiceKey, list[KubernetesObject]] = {}
    for each in objects:
        if each.kind == "EndpointSlice":
            slices.setdefault(each.service_of_slice(), []).append(each)
    return [
        service_of(each, slices.get(each.key, []), node)
        for each in objects
        if each.kind == "Service" and _is_programmed(each, node)
    ]


def _is_programmed(found: KubernetesObject, node: Node) -> bool:
    """Whether the node's proxier knows a service: by a cluster IP of its family, or as headless."""
    if found.spec.text("type") == "ExternalName":
        return False
    every = cluster_ips(found)
    return not every or any(family_of(address) is node.family for address in every)
