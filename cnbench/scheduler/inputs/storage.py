"""What a pod's claims demand of nodes: the claims, the volumes bound to them, and their classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from cnbench.scheduler.columns.node_labels import REGION_KEYS, ZONE_KEYS
from cnbench.scheduler.inputs.kubernetes_rules import required_term
from cnbench.scheduler.inputs.object_reader import Reader
from cnbench.scheduler.model.attachments import PodVolume, Unmodelled, ZoneRule

Object: TypeAlias = Mapping[str, Any]

# Kinds of volumes that a node attaches: there is a limit to how many, and some to one node alone.
_ATTACHED = (
    "awsElasticBlockStore",
    "azureDisk",
    "cinder",
    "csi",
    "gcePersistentDisk",
    "iscsi",
    "rbd",
)
_LIMITS = "how many volumes a node can attach, and which disks others there use, is not heeded"
_ON_DEMAND = "WaitForFirstConsumer"
_EXCLUSIVE = "ReadWriteOncePod"


class Storage:
    """Claims, volumes and classes by name.

    Args:
        claims: v1 PersistentVolumeClaims; None where they are not known.
        volumes: v1 PersistentVolumes.
        classes: storage.k8s.io/v1 StorageClasses.
    """

    def __init__(
        self,
        claims: Iterable[Object] | None = None,
        volumes: Iterable[Object] = (),
        classes: Iterable[Object] = (),
    ) -> None:
        self._claims = None
        if claims is not None:
            self._claims = {(_namespace(claim), _name(claim)): claim for claim in claims}
        self._volumes = {_name(volume): volume for volume in volumes}
        self._modes = {
            _name(storage_class): storage_class.get("volumeBindingMode") or "Immediate"
            for storage_class in classes
        }

    def of(self, pod: Reader) -> tuple[list[PodVolume], list[Unmodelled]]:
        """What the volumes of a v1 Pod demand, and what about them is not heeded.

        Raises:
            SchedulerInputError: a volume or a claim is malformed.
        """
        found: list[PodVolume] = []
        notes: list[Unmodelled] = []
        for volume, claim in _claims_of(pod):
            made = self._volume(_namespace(pod.value), claim, volume.path)
            if isinstance(made, PodVolume):
                found.append(made)
                notes.append(Unmodelled(volume.path, _LIMITS, refused=False))
            else:
                notes.append(made)
        for volume in pod.field("spec").field("volumes").items():
            attached = next(
                (kind for kind in _ATTACHED if volume.field(kind).value is not None), ""
            )
            if attached:
                notes.append(Unmodelled(f"{volume.path}.{attached}", _LIMITS, refused=False))
        return found, notes

    def _volume(self, namespace: str, name: str, path: str) -> PodVolume | Unmodelled:
        if self._claims is None:
            problem = f"which nodes can use the claim {name} is not known; give claims and volumes"
            return Unmodelled(path, problem)
        given = self._claims.get((namespace, name))
        if given is None:
            return PodVolume(name, problem="there is no such claim")
        claim = Reader(f"persistentvolumeclaim {namespace}/{name}", given)
        if claim.field("metadata").field("deletionTimestamp").value is not None:
            return PodVolume(name, problem="the claim is being deleted")
        spec = claim.field("spec")
        if _EXCLUSIVE in spec.field("accessModes").texts():
            return Unmodelled(path, f"the claim {name} is {_EXCLUSIVE}, which is not modelled")
        bound = spec.field("volumeName").text()
        if not bound:
            return self._unbound(name, spec.field("storageClassName").text(), path)
        if bound not in self._volumes:
            problem = f"the volume {bound} that the claim {name} is bound to is not given"
            return Unmodelled(path, problem)
        return _bound(name, Reader(f"persistentvolume {bound}", self._volumes[bound]))

    def _unbound(self, name: str, storage_class: str, path: str) -> PodVolume | Unmodelled:
        if self._modes.get(storage_class) == "Immediate":
            return PodVolume(name, problem="the claim is not bound yet")
        mode = self._modes.get(storage_class)
        why = f"is {_ON_DEMAND}" if mode == _ON_DEMAND else "is not given"
        problem = f"the claim {name} is not bound, and its class {storage_class!r} {why}:"
        return Unmodelled(path, f"{problem} which nodes a volume could be had for is not modelled")


def _bound(claim: str, volume: Reader) -> PodVolume:
    required = volume.field("spec").field("nodeAffinity").field("required")
    terms = None
    if required.value is not None:
        terms = [required_term(reader) for reader in required.field("nodeSelectorTerms").items()]
    labels = volume.field("metadata").field("labels").labels()
    zones = [
        ZoneRule(key, tuple(labels[key].split("__")))
        for key in (*ZONE_KEYS, *REGION_KEYS)
        if key in labels
    ]
    return PodVolume(claim, terms, zones)


def _claims_of(pod: Reader) -> Iterator[tuple[Reader, str]]:
    """The claims of a pod's volumes, those made for it alone included."""
    name = pod.field("metadata").field("name").text()
    for volume in pod.field("spec").field("volumes").items():
        claim = volume.field("persistentVolumeClaim")
        if claim.value is not None:
            yield claim, claim.field("claimName").text()
        elif volume.field("ephemeral").value is not None:
            yield volume.field("ephemeral"), f"{name}-{volume.field('name').text()}"


def _name(given: Object) -> str:
    return Reader("object", given).field("metadata").field("name").text()


def _namespace(given: Object) -> str:
    return Reader("object", given).field("metadata").field("namespace").text() or "default"


NOT_GIVEN = Storage()
