"""What a pod's containers request in all, as each release adds it up.

As component-helpers' PodRequests: the containers and the init containers that keep running; or one
init container, with those that run beside it, if that is more; in place of that what spec.resources
says of the whole pod; plus overhead. A limit without a request is a request too, as the API
server's defaults have it. What a container asks is, while it is resized, the most of what its spec
and its status say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cnbench.scheduler.inputs.object_reader import Reader
from cnbench.scheduler.model.amounts import DEFAULT_SCORED_CPU, DEFAULT_SCORED_MEMORY, Amounts
from cnbench.scheduler.model.quantities import CPU, MEMORY
from cnbench.scheduler.releases import (
    OVERHEAD_IN_MILLICPU,
    POD_LEVEL_RESOURCES,
    RESIZE_STATUS,
    SIDECARS,
    SUMS_SIDECARS,
)

Given = Mapping[str, int]

_DEFAULTS: Given = {CPU: DEFAULT_SCORED_CPU, MEMORY: DEFAULT_SCORED_MEMORY}
_ERAS = (0, OVERHEAD_IN_MILLICPU, SIDECARS, SUMS_SIDECARS, RESIZE_STATUS, POD_LEVEL_RESOURCES)
_MILLI = 1000


@dataclass(frozen=True, slots=True)
class ContainerResources:
    """What one container asks for.

    Attributes:
        asks: by its spec.
        while_resized: the most that spec and status say; as asks where nothing is resized.
        keeps_running: whether it is an init container that is not waited for (a sidecar).
    """

    asks: Given
    while_resized: Given
    keeps_running: bool = False


def pod_amounts(pod: Reader) -> list[Amounts]:
    """What a v1 Pod counts for, from each release on that could count it differently.

    Raises:
        SchedulerInputError: an amount is malformed.
    """
    spec, status = pod.field("spec"), pod.field("status")
    inits, containers = _containers(spec, status, "initContainers"), _containers(spec, status, "")
    overhead = spec.field("overhead").amounts()
    of_pod = _pod_level(spec.field("resources"), inits, containers)
    return [_amounts(era, inits, containers, overhead, of_pod) for era in _ERAS]


def _amounts(
    era: int,
    inits: Sequence[ContainerResources],
    containers: Sequence[ContainerResources],
    overhead: Given,
    of_pod: Given,
) -> Amounts:
    level = of_pod if era >= POD_LEVEL_RESOURCES else {}
    cores = _in_cores(overhead) if era < OVERHEAD_IN_MILLICPU else overhead
    plain = _total(era, inits, containers, {})
    requests = _sum({**plain, **level}, overhead)
    # The scores of NodeResourcesFit look neither at spec.resources nor at a status (seen in 1.35.7:
    # only its filter is told of these features), so that an arriving pod counts by its containers.
    arriving = _total(min(era, SUMS_SIDECARS), inits, containers, _DEFAULTS)
    scored: Given = _total(era, inits, containers, _DEFAULTS)
    if SIDECARS <= era < SUMS_SIDECARS:
        scored = _greatest_sidecar(inits, containers)
    elif level:
        missing = {name: number for name, number in _DEFAULTS.items() if name not in requests}
        scored = {**_total(era, inits, containers, missing), **level}
    nothing = dict.fromkeys(_DEFAULTS, 0)
    return Amounts.of(
        era,
        requests,
        {**nothing, **_sum(scored, overhead)},
        {**nothing, **_sum(arriving, cores)},
        _sum({**plain, **level}, cores),
    )


def _total(
    era: int,
    inits: Sequence[ContainerResources],
    containers: Sequence[ContainerResources],
    defaults: Given,
) -> Given:
    """What the containers ask together, each with these defaults for what it does not name."""
    running: Given = {}
    peak: Given = {}
    for container in inits:
        keeps_running = container.keeps_running and era >= SIDECARS
        asked = {**defaults, **_asked(container, era if keeps_running else 0)}
        at_once = _sum(running, asked)
        peak = _greater(peak, at_once)
        if keeps_running:
            running = at_once
    for container in containers:
        running = _sum(running, {**defaults, **_asked(container, era)})
    return _greater(running, peak)


def _greatest_sidecar(
    inits: Sequence[ContainerResources], containers: Sequence[ContainerResources]
) -> Given:
    """What a placed pod was scored by before 1.32: sidecars are not added to the containers.

    Defaults go to what the init containers that run at one time do not name together.
    """
    total: Given = {}
    for container in containers:
        total = _sum(total, {**_DEFAULTS, **container.asks})
    beside: Given = {}
    for container in inits:
        at_once = _sum(beside, container.asks)
        total = _greater(total, {**_DEFAULTS, **at_once})
        if container.keeps_running:
            beside = at_once
    return total


def _asked(container: ContainerResources, era: int) -> Given:
    return container.while_resized if era >= RESIZE_STATUS else container.asks


def _containers(spec: Reader, status: Reader, kind: str) -> list[ContainerResources]:
    """The containers of a pod (or those of another list of its spec)."""
    statuses = {
        reader.field("name").text(): reader
        for reader in status.field("initContainerStatuses" if kind else "containerStatuses").items()
    }
    infeasible = any(
        reader.field("type").text() == "PodResizePending"
        and reader.field("reason").text() == "Infeasible"
        for reader in status.field("conditions").items()
    )
    made = []
    for reader in spec.field(kind or "containers").items():
        resources = reader.field("resources")
        asks = {**resources.field("limits").amounts(), **resources.field("requests").amounts()}
        now = statuses.get(reader.field("name").text())
        resized = asks if now is None else _while_resized(asks, now, infeasible)
        made.append(
            ContainerResources(asks, resized, reader.field("restartPolicy").value == "Always")
        )
    return made


def _while_resized(asks: Given, status: Reader, infeasible: bool) -> Given:
    resources = status.field("resources")
    if resources.value is None:
        return asks
    actual = resources.field("requests").amounts()
    granted = _greater(actual, status.field("allocatedResources").amounts())
    return granted if infeasible else _greater(asks, granted)


def _pod_level(
    resources: Reader, inits: Sequence[ContainerResources], containers: Sequence[ContainerResources]
) -> Given:
    """What spec.resources requests, with the API server's defaults where it has limits."""
    limits, requests = resources.field("limits").amounts(), resources.field("requests").amounts()
    if limits:
        newest = _total(POD_LEVEL_RESOURCES, inits, containers, {})
        requests = {**limits, **newest, **requests}
    return {name: number for name, number in requests.items() if _is_of_pods(name)}


def _is_of_pods(resource: str) -> bool:
    return resource in (CPU, MEMORY) or resource.startswith("hugepages-")


def _in_cores(overhead: Given) -> Given:
    """Overhead as the scores added it before 1.27: a millicpu for each core begun."""
    return {
        name: math.ceil(number / _MILLI) if name == CPU else number
        for name, number in overhead.items()
    }


def _sum(one: Given, other: Given) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def _greater(one: Given, other: Given) -> dict[str, int]:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in {**one, **other}}
