"""All of a pod that decides where it may go: hashable, and shared by its replicas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Protocol, TypeVar, cast

from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.model import checks
from cnbench.scheduler.model.amounts import Amounts, Items
from cnbench.scheduler.model.attachments import HostPort, PodVolume, Unmodelled
from cnbench.scheduler.model.node_rules import NodeAffinity
from cnbench.scheduler.model.placement_rules import (
    PodAffinity,
    Toleration,
    TopologySpreadConstraint,
)
from cnbench.scheduler.model.selectors import LabelSelector, check_selector


class _Checkable(Protocol):
    def check(self, where: str, field: str) -> None: ...


Checked = TypeVar("Checked", bound=_Checkable)


@dataclass(frozen=True, slots=True)
class Spec:
    """A pod without its name; see `Pod` for the fields.

    Attributes:
        amounts: what it counts for, by release, the newest last.
    """

    namespace: str
    labels: tuple[tuple[str, str], ...]
    amounts: tuple[Amounts, ...]
    node_selector: tuple[tuple[str, str], ...]
    node_affinity: NodeAffinity
    pod_affinity: PodAffinity
    pod_anti_affinity: PodAffinity
    tolerations: tuple[Toleration, ...]
    topology_spread_constraints: tuple[TopologySpreadConstraint, ...]
    images: tuple[str, ...]
    init_images: tuple[str, ...]
    volume_images: tuple[str, ...]
    spread_selector: LabelSelector | None
    terminating: bool
    host_ports: tuple[HostPort, ...]
    node_name: str
    scheduling_gates: tuple[str, ...]
    volumes: tuple[PodVolume, ...]
    unmodelled: tuple[Unmodelled, ...]
    # Computed once, and not before the check: what was given may not be hashable.
    _hash: int | None = field(default=None, init=False, repr=False, compare=False)

    def __hash__(self) -> int:
        if self._hash is None:
            named = (attribute.name for attribute in fields(self) if attribute.compare)
            object.__setattr__(self, "_hash", hash(tuple(getattr(self, name) for name in named)))
        return self._hash  # type: ignore[return-value]

    @property
    def requests(self) -> Items:
        """What it requests in the newest release."""
        return self.amounts[-1].requests

    @property
    def scored_requests(self) -> Items:
        """What it is scored by, once it runs, in the newest release."""
        return self.amounts[-1].scored

    def check(self, where: str) -> None:
        """Hold every rule against the API's rules.

        Raises:
            SchedulerInputError: names the first field that is malformed.
        """
        if not isinstance(self.namespace, str) or not self.namespace:
            raise SchedulerInputError(where, "metadata.namespace", "must not be empty")
        for field_name, affinity, kind in (
            ("nodeAffinity", self.node_affinity, NodeAffinity),
            ("podAffinity", self.pod_affinity, PodAffinity),
            ("podAntiAffinity", self.pod_anti_affinity, PodAffinity),
        ):
            path = f"spec.affinity.{field_name}"
            checks.instance(affinity, kind, where, path)
            affinity.check(where, path)
        check_each(self.tolerations, Toleration, where, "spec.tolerations")
        check_each(self.host_ports, HostPort, where, "host_ports")
        check_each(self.volumes, PodVolume, where, "volumes")
        checks.texts(self.scheduling_gates, where, "spec.schedulingGates")
        checks.texts((self.node_name,), where, "spec.nodeName")
        check_each(
            self.topology_spread_constraints,
            TopologySpreadConstraint,
            where,
            "spec.topologySpreadConstraints",
        )
        check_selector(self.spread_selector, where, "spread_selector")


def checked_labels(
    labels: Mapping[str, str], where: str, path: str = "metadata.labels"
) -> dict[str, str]:
    """The labels as a dict of strings.

    Raises:
        SchedulerInputError: names the field that is none.
    """
    checks.a_map(labels, where, path)
    for key, value in labels.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise SchedulerInputError(where, path, f"{key!r}: {value!r} must both be strings")
    return dict(labels)


def check_each(given: object, kind: type[Checked], where: str, field: str) -> None:
    """Hold every item of a list against its own rules.

    Raises:
        SchedulerInputError: it is no list, or an item is of another kind or malformed.
    """
    checks.a_list(given, where, field)
    for number, part in enumerate(cast("tuple[Checked, ...]", given)):
        checks.instance(part, kind, where, f"{field}[{number}]")
        part.check(where, f"{field}[{number}]")


def normalised_image(name: str) -> str:
    """The image's name with the tag the container runtime would add (`nginx` is `nginx:latest`)."""
    return name if name.rfind(":") > name.rfind("/") else f"{name}:latest"


def images(given: Iterable[str], where: str, field: str) -> tuple[str, ...]:
    """Normalised names of images.

    Raises:
        SchedulerInputError: one is no string.
    """
    names = checks.listed(given)
    checks.texts(names, where, field)
    return tuple(normalised_image(name) for name in names)
