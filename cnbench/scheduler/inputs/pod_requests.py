"""What a pod's containers request in all.

As component-helpers' PodRequests adds up: the containers and the init containers that keep
running; or one init container, with those that run beside it, if that is more; plus overhead.
A limit without a request is a request too, as the API server's defaults have it.
"""

from collections.abc import Mapping

from cnbench.scheduler.inputs.object_reader import Reader
from cnbench.scheduler.model.objects import DEFAULT_SCORED_CPU, DEFAULT_SCORED_MEMORY
from cnbench.scheduler.model.quantities import CPU, MEMORY


def pod_requests(spec: Reader) -> tuple[dict[str, int], dict[str, int]]:
    """What the pod requests, and what it is scored by: each container with its own defaults.

    A pod without containers is scored by its overhead alone.
    """
    defaults = {CPU: DEFAULT_SCORED_CPU, MEMORY: DEFAULT_SCORED_MEMORY}
    return _effective(spec, {}), {CPU: 0, MEMORY: 0, **_effective(spec, defaults)}


def _effective(spec: Reader, defaults: Mapping[str, int]) -> dict[str, int]:
    total: dict[str, int] = {}
    peak: dict[str, int] = {}
    for container in spec.field("initContainers").items():
        asked = {**defaults, **_asked(container)}
        if container.field("restartPolicy").value == "Always":
            total = _sum(total, asked)
            peak = _greater(peak, total)
        else:
            peak = _greater(peak, _sum(total, asked))
    for container in spec.field("containers").items():
        total = _sum(total, {**defaults, **_asked(container)})
    return _sum(_greater(total, peak), spec.field("overhead").amounts())


def _asked(container: Reader) -> dict[str, int]:
    resources = container.field("resources")
    return {**resources.field("limits").amounts(), **resources.field("requests").amounts()}


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def _greater(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in {**one, **other}}
