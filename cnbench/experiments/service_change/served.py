"""A Service of ours with one pod, and others beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cnbench.control_plane.api.client import Client
from cnbench.control_plane.api.objects import in_parallel
from cnbench.control_plane.cluster import NAMESPACE, pod_spec
from cnbench.experiments.service_change.probing import PORT
from cnbench.lab.waiting import wait_until

POD, SERVICE, ADDRESS = "turned", "turned", "10.244.0.10"
_OTHER, _OTHERS_ADDRESS = "other", "10.244.0.20"
_CORE = f"/api/v1/namespaces/{NAMESPACE}"
_PODS, _SERVICES = f"{_CORE}/pods", f"{_CORE}/services"
_SLICES = f"/apis/discovery.k8s.io/v1beta1/namespaces/{NAMESPACE}/endpointslices"
_MERGE = "application/merge-patch+json"
_PATIENCE = 300.0


def make(api: Client, node: str) -> str:
    """A pod on ``node`` that is not ready, and its Service: the Service's address."""
    _pod(api, POD, node)
    made = api.demand("POST", _SERVICES, _service(SERVICE, POD)).said()
    address: str = made["spec"]["clusterIP"]
    _pod(api, _OTHER, node)
    _write(api, _OTHER, _OTHERS_ADDRESS, ready=True)
    have_ready(api, ready=False)
    return address


def add_others(connect: Callable[[], Client], api: Client, count: int) -> None:
    """So many Services of the other pod, all with their EndpointSlices; raises CnbenchError."""

    def one(client: Client, number: int) -> None:
        client.demand("POST", _SERVICES, _service(f"{_OTHER}-{number:05}", _OTHER))

    in_parallel(connect, count, one)

    def all_there() -> bool:
        found = api.get(_SLICES)["items"]
        return sum(bool(one["endpoints"]) for one in found) >= count

    wait_until(all_there, "Services lack their EndpointSlices", within=_PATIENCE, every=0.2)


def have_ready(api: Client, ready: bool) -> None:
    """Say of our pod whether it is ready, as its kubelet would."""
    _write(api, POD, ADDRESS, ready)


def _write(api: Client, pod: str, address: str, ready: bool) -> None:
    status: dict[str, Any] = {
        "phase": "Running", "podIP": address, "podIPs": [{"ip": address}],
        "conditions": [{"type": "Ready", "status": str(ready)}],
    }  # fmt: skip
    api.demand("PATCH", f"{_PODS}/{pod}/status", {"status": status}, content=_MERGE)


def _pod(api: Client, name: str, node: str) -> None:
    metadata = {"name": name, "labels": {"app": name}}
    api.demand("POST", _PODS, {"metadata": metadata, "spec": pod_spec(node)})


def _service(name: str, app: str) -> dict[str, Any]:
    ports = [{"port": PORT, "targetPort": PORT}]
    return {"metadata": {"name": name}, "spec": {"selector": {"app": app}, "ports": ports}}
