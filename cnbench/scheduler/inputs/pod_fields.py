"""Host ports of a pod, and what of its fields is not heeded."""

from __future__ import annotations

from collections.abc import Iterator

from cnbench.scheduler.inputs import known_fields as known
from cnbench.scheduler.inputs.object_reader import Reader
from cnbench.scheduler.model.attachments import HostPort, Unmodelled

_OWN_SCHEDULER = "default-scheduler"


def host_ports(spec: Reader) -> list[HostPort]:
    """The ports of the node that a pod's containers and sidecars take.

    In the node's own network all container ports are the node's, as the API server's defaults have
    it.

    Raises:
        SchedulerInputError: a port is malformed.
    """
    sidecars = [
        reader
        for reader in spec.field("initContainers").items()
        if reader.field("restartPolicy").value == "Always"
    ]
    of_the_node = bool(spec.field("hostNetwork").value)
    found = []
    for container in (*sidecars, *spec.field("containers").items()):
        for given in container.field("ports").items():
            port = given.among(known.PORT).field("hostPort")
            if port.value is None and of_the_node:
                port = given.field("containerPort")
            if port.value:
                protocol = given.field("protocol").text() or "TCP"
                found.append(HostPort(port.whole(), protocol, given.field("hostIP").text()))
    return found


def volume_images(spec: Reader) -> list[str]:
    """The images that are volumes of a pod."""
    references = [
        reader.field("image").field("reference") for reader in spec.field("volumes").items()
    ]
    return [reader.text() for reader in references if reader.value is not None]


def unmodelled(pod: Reader) -> Iterator[Unmodelled]:
    """The fields of a v1 Pod that kube-scheduler heeds and that are not modelled here."""
    spec = pod.field("spec")
    if spec.field("resourceClaims").value:
        yield Unmodelled("spec.resourceClaims", "dynamic resource allocation is not modelled")
    for field in ("schedulingGroup", "workloadRef"):
        if spec.field(field).value is not None:
            yield Unmodelled(f"spec.{field}", "scheduling pods as a group is not modelled")
    if spec.field("runtimeClassName").value and spec.field("overhead").value is None:
        problem = "the overhead, node selector and tolerations of a RuntimeClass are not added"
        yield Unmodelled("spec.runtimeClassName", problem, refused=False)
    if spec.field("schedulerName").text(_OWN_SCHEDULER) != _OWN_SCHEDULER:
        problem = "the pod is another scheduler's; the answer is this one's"
        yield Unmodelled("spec.schedulerName", problem, refused=False)
    if pod.field("status").field("nominatedNodeName").value:
        problem = "kube-scheduler tries this node first, and takes it if it fits"
        yield Unmodelled("status.nominatedNodeName", problem, refused=False)


def check_names(pod: Reader) -> None:
    """Hold that the fields down to the containers' have names that Kubernetes knows.

    Raises:
        SchedulerInputError: one is misspelt, or in snake_case.
    """
    pod.among(known.OBJECT).field("metadata").among(known.METADATA)
    spec = pod.field("spec").among(known.POD_SPEC)
    spec.field("resources").among(known.RESOURCES)
    spec.field("affinity").among(known.AFFINITY)
    for kind in ("containers", "initContainers"):
        for container in spec.field(kind).items():
            container.among(known.CONTAINER).field("resources").among(known.RESOURCES)
    for gate in spec.field("schedulingGates").items():
        gate.among(known.GATE)
