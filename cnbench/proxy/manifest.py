"""Services from Kubernetes objects: Service and EndpointSlice, as ``kubectl get -o yaml`` says.

What each field means to kube-proxy: kubernetes/kubernetes, pkg/proxy/serviceport.go,
endpointslicecache.go and util/utils.go, release 1.33.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from cnbench.proxy.documents import read_documents
from cnbench.proxy.model import (
    Endpoint,
    Service,
    ServiceError,
    ServiceKey,
    ServicePort,
    TrafficPolicy,
    in_proxy_order,
)
from cnbench.proxy.validation import validate

SERVICE_OF_SLICE = "kubernetes.io/service-name"
DEFAULT_AFFINITY_SECONDS = 10800

_T = TypeVar("_T")


def load_services(path: Path, *, mode: str, node_name: str = "") -> list[Service]:
    """Read a file of Kubernetes objects, YAML or JSON, and give its services, validated.

    ``node_name`` says which endpoints are on the node that is programmed. Raises ServiceError,
    naming the file or the object, for anything that cannot be programmed in ``mode``.
    """
    try:
        services = services_from(read_documents(path), node_name=node_name)
    except RecursionError as error:
        raise ServiceError(f"{path}: is nested too deeply to be Kubernetes objects") from error
    validate(services, mode=mode)
    return services


def services_from(objects: Iterable[object], *, node_name: str = "") -> list[Service]:
    """Turn parsed objects into services, in their order; lists of objects are unpacked.

    External names have no address to program and are left out, as kube-proxy does. Raises
    ServiceError, naming the object, for one that is not what it should be.
    """
    found = [_Object(each) for each in _unpacked(objects)]
    services = [each for each in found if each.kind == "Service"]
    slices = [each for each in found if each.kind == "EndpointSlice"]
    for each in found:
        if each.kind not in ("Service", "EndpointSlice"):
            raise ServiceError(
                f"{each}: only Service and EndpointSlice objects are read here",
                "kubectl get services,endpointslices --all-namespaces -o yaml",
            )
    by_service: dict[ServiceKey, list[_Object]] = {}
    for each in slices:
        by_service.setdefault(each.service_of_slice(), []).append(each)
    return [
        _service(each, by_service.get(each.key, []), node_name)
        for each in services
        if each.spec.text("type") != "ExternalName"
    ]


class _Fields:
    """A mapping whose fields must be of the kind they should; ``owner`` names it in errors."""

    def __init__(self, value: object, owner: str) -> None:
        if not isinstance(value, Mapping):
            raise ServiceError(f"{owner}: {_shown(value)} stands where fields should")
        self._value: Mapping[Any, Any] = value
        self.owner = owner

    def fields(self, name: str) -> _Fields:
        """Give fields within; none where it is missing."""
        value = self._value.get(name)
        return _Fields({} if value is None else value, f"{self.owner}, {name}")

    def text(self, name: str) -> str:
        """Give a text, empty where it is missing."""
        return self._of_kind(str, name, "")

    def number(self, name: str) -> int:
        """Give a whole number, 0 where it is missing."""
        value = self._of_kind(int, name, 0)
        if isinstance(value, bool):
            raise ServiceError(f"{self.owner}: {name} is {value}, not a number")
        return value

    def flag(self, name: str, missing: bool) -> bool:
        """Give yes or no, ``missing`` where it is missing."""
        return self._of_kind(bool, name, missing)

    def texts(self, name: str) -> tuple[str, ...]:
        """Give a list of texts, empty where it is missing."""
        values = self._of_kind(list, name, [])
        for value in values:
            if not isinstance(value, str):
                raise ServiceError(f"{self.owner}: {name} has {_shown(value)}, not a text")
        return tuple(values)

    def each(self, name: str) -> Iterator[_Fields]:
        """Give the fields of every element of a list, none where it is missing."""
        for number, value in enumerate(self._of_kind(list, name, [])):
            yield _Fields(value, f"{self.owner}, {name}[{number}]")

    def _of_kind(self, kind: type[_T], name: str, missing: _T) -> _T:
        value = self._value.get(name)
        if value is None:
            return missing
        if not isinstance(value, kind):
            raise ServiceError(f"{self.owner}: {name} is {_shown(value)}, not a {kind.__name__}")
        return value


class _Object(_Fields):
    """A Kubernetes object, with its name."""

    def __init__(self, value: object) -> None:
        super().__init__(value, "an object")
        self.kind = self.text("kind") or "object without a kind"
        metadata = self.fields("metadata")
        name = metadata.text("name")
        self.key = ServiceKey(metadata.text("namespace") or "default", name)
        self.owner = f"{self.kind} {self.key}"
        if not name:
            raise ServiceError(f"{self.kind} without a name: every object needs metadata.name")

    def __str__(self) -> str:
        return self.owner

    @property
    def spec(self) -> _Fields:
        return self.fields("spec")

    def service_of_slice(self) -> ServiceKey:
        """Name the service that a slice's endpoints belong to."""
        name = self.fields("metadata").fields("labels").text(SERVICE_OF_SLICE)
        if not name:
            raise ServiceError(f"{self}: has no label {SERVICE_OF_SLICE}")
        return ServiceKey(self.key.namespace, name)


def _service(found: _Object, slices: Sequence[_Object], node_name: str) -> Service:
    spec = found.spec
    cluster_ip = _cluster_ip(found)
    if len(spec.texts("clusterIPs")) > 1:
        # A service of two families has a slice for each.
        slices = [each for each in slices if each.text("addressType") != "IPv6"]
    return Service(
        namespace=found.key.namespace,
        name=found.key.name,
        cluster_ip=cluster_ip,
        ports=tuple(_port(port, slices, node_name) for port in spec.each("ports")),
        affinity_seconds=_affinity(found),
        external_ips=_usable(spec.texts("externalIPs")),
        load_balancer_ips=_usable(
            ingress.text("ip")
            for ingress in found.fields("status").fields("loadBalancer").each("ingress")
            if ingress.text("ipMode") != "Proxy"
        ),
        source_ranges=_usable(text.strip() for text in spec.texts("loadBalancerSourceRanges")),
        internal_policy=_policy(found, "internalTrafficPolicy"),
        external_policy=_policy(found, "externalTrafficPolicy"),
        health_check_node_port=spec.number("healthCheckNodePort"),
    )


def _cluster_ip(found: _Object) -> str:
    """Give the IPv4 address of a service of two families, and else the only one."""
    spec = found.spec
    every = spec.texts("clusterIPs") or (spec.text("clusterIP"),)
    if every[0] == "None":
        return ""
    if not every[0]:
        raise ServiceError(f"{found}: has no clusterIP; a headless service says None")
    return next((address for address in every if ":" not in address), every[0])


def _usable(addresses: Iterable[str]) -> tuple[str, ...]:
    # kube-proxy's IPv4 half passes over what belongs to its IPv6 half. A cluster IP and an
    # endpoint of the wrong family are refused: without them the service would be another.
    return tuple(address for address in addresses if address and ":" not in address)


def _affinity(found: _Object) -> int:
    kind = found.spec.text("sessionAffinity") or "None"
    if kind == "None":
        return 0
    if kind != "ClientIP":
        raise ServiceError(f"{found}: sessionAffinity is {kind!r}, not None or ClientIP")
    config = found.spec.fields("sessionAffinityConfig").fields("clientIP")
    return config.number("timeoutSeconds") or DEFAULT_AFFINITY_SECONDS


def _policy(found: _Object, name: str) -> TrafficPolicy:
    text = found.spec.text(name) or TrafficPolicy.CLUSTER
    try:
        return TrafficPolicy(text)
    except ValueError:
        raise ServiceError(f"{found}: {name} is {text!r}, not Cluster or Local") from None


def _port(port: _Fields, slices: Sequence[_Object], node_name: str) -> ServicePort:
    name = port.text("name")
    protocol = (port.text("protocol") or "TCP").lower()
    endpoints = {
        (endpoint.address, endpoint.port): endpoint
        for each in slices
        for endpoint in _endpoints(each, name, protocol, node_name)
    }
    return ServicePort(
        port=port.number("port"),
        endpoints=in_proxy_order(endpoints.values()),
        name=name,
        protocol=protocol,
        node_port=port.number("nodePort"),
    )


def _endpoints(found: _Object, port_name: str, protocol: str, node_name: str) -> Iterator[Endpoint]:
    kind = found.text("addressType") or "IPv4"
    if kind == "FQDN":
        return
    for port in found.each("ports"):
        if (port.text("name"), (port.text("protocol") or "TCP").lower()) != (port_name, protocol):
            continue
        for endpoint in found.each("endpoints"):
            addresses = endpoint.texts("addresses")
            if not addresses or not addresses[0]:
                raise ServiceError(f"{endpoint.owner}: has no address")
            conditions = endpoint.fields("conditions")
            yield Endpoint(
                address=addresses[0],  # kube-proxy takes no other
                port=port.number("port"),
                local=bool(node_name) and endpoint.text("nodeName") == node_name,
                ready=conditions.flag("ready", missing=True),
                serving=conditions.flag("serving", missing=True),
                terminating=conditions.flag("terminating", missing=False),
            )


def _unpacked(objects: Iterable[object]) -> Iterator[object]:
    for each in objects:
        if each is None:
            continue  # what an empty YAML document is
        if isinstance(each, list):
            yield from _unpacked(each)
        elif isinstance(each, Mapping) and isinstance(each.get("items"), list):
            yield from _unpacked(each["items"])
        else:
            yield each


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
