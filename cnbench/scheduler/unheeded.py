"""Fields of a pod that a question about it does not heed: told, or the question is refused."""

from __future__ import annotations

import warnings

from cnbench.scheduler.cluster import PodShape
from cnbench.scheduler.errors import SchedulerInputError, UnmodelledWarning
from cnbench.scheduler.model.attachments import Unmodelled
from cnbench.scheduler.model.objects import Pod
from cnbench.scheduler.model.placement_rules import PodAffinity
from cnbench.scheduler.releases import KubernetesRelease

# The API server merges them into the selectors; before, the fields were not there by default.
_LABEL_KEYS_OF_TERMS = 31


def tell(pod: Pod, shape: PodShape, release: KubernetesRelease) -> None:
    """Warn of what is not heeded of a pod, once for each text (see Python's `warnings`).

    Raises:
        SchedulerInputError: without it the answer would be none; the message names the field.
    """
    key = ("unheeded", release.minor)
    found = shape.compiled.get(key)
    if found is None:
        found = shape.compiled[key] = (*shape.spec.unmodelled, *_newer_than(release, shape))
    for element in found:  # type: ignore[attr-defined]
        if element.refused:
            raise SchedulerInputError(f"pod {pod.key}", element.field, element.problem)
        warnings.warn(
            f"pod {pod.key}: {element.field}: {element.problem}", UnmodelledWarning, stacklevel=4
        )


def _newer_than(release: KubernetesRelease, shape: PodShape) -> list[Unmodelled]:
    """What the pod says that the release has no field for."""
    spec, found = shape.spec, []
    affinities = {"podAffinity": spec.pod_affinity, "podAntiAffinity": spec.pod_anti_affinity}
    for name, affinity in affinities.items():
        if release.minor < _LABEL_KEYS_OF_TERMS and _has_label_keys(affinity):
            problem = f"matchLabelKeys and mismatchLabelKeys are heeded, but {release} has them not"
            found.append(Unmodelled(f"spec.affinity.{name}", problem, refused=False))
    if spec.scheduling_gates and not release.scheduling_gates:
        problem = f"{release} has no scheduling gates: the pod is scheduled at once"
        found.append(Unmodelled("spec.schedulingGates", problem, refused=False))
    return found


def _has_label_keys(affinity: PodAffinity) -> bool:
    for term in [*affinity.required, *[weighted.term for weighted in affinity.preferred]]:
        if term.match_label_keys or term.mismatch_label_keys:
            return True
    return False
