"""Kubernetes objects from files, YAML or JSON, as kubectl prints them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cnbench.scheduler.cluster import Cluster
from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.inputs.kubernetes import Object, pod_from_dict
from cnbench.scheduler.inputs.kubernetes_cluster import (
    spread_selector_for,
    storage_from_dicts,
    world_from_dicts,
)
from cnbench.scheduler.inputs.storage import Storage
from cnbench.scheduler.model.objects import Pod
from cnbench.scheduler.questions.world import World
from cnbench.scheduler.releases import NEWEST, OLDEST

STDIN = Path("-")
_CONTROLLERS = ("ReplicationController", "ReplicaSet", "StatefulSet")
_CLAIM = "PersistentVolumeClaim"
# Kinds that make pods of a template: what one of their pods would be is asked.
_TEMPLATES = ("Deployment", "Job", *_CONTROLLERS)
_KUBELET = re.compile(r"v1\.(\d+)\.")


class ClusterFile:
    """A cluster as it was told in a file.

    Attributes:
        world: its nodes and pods.
        cluster: the same as a cluster.
    """

    world: World
    cluster: Cluster

    def __init__(self, objects: Iterable[Object]) -> None:
        self._by_kind: dict[str, list[Object]] = {}
        for found in objects:
            self._by_kind.setdefault(str(found.get("kind", "")), []).append(found)
        self._selecting = (
            self._of("Service"),
            [controller for kind in _CONTROLLERS for controller in self._of(kind)],
        )
        self._storage = self._read_storage()
        self.world, self.cluster = world_from_dicts(
            self._of("Node"), self._of("Pod"), self._selecting, self._of("Namespace"), self._storage
        )

    def _of(self, kind: str) -> list[Object]:
        return self._by_kind.get(kind, [])

    def _read_storage(self) -> Storage:
        known = self._of(_CLAIM) or self._of("PersistentVolume")
        return storage_from_dicts(
            self._of(_CLAIM) if known else None,
            self._of("PersistentVolume"),
            self._of("StorageClass"),
        )

    @property
    def release(self) -> str | None:
        """The newest release among the nodes' kubelets, as "1.30"; None if they do not say."""
        versions = [
            str(((node.get("status") or {}).get("nodeInfo") or {}).get("kubeletVersion", ""))
            for node in self._of("Node")
        ]
        minors = [int(found.group(1)) for text in versions if (found := _KUBELET.match(text))]
        return f"1.{min(max(*minors, OLDEST), NEWEST)}" if minors else None

    def pod(self, given: Object) -> Pod:
        """A pod that is not in the file, or one of a workload's.

        Raises:
            SchedulerInputError: it is malformed, or neither a pod nor a workload.
        """
        made, (services, controllers) = _pod_of(given), self._selecting
        selector = spread_selector_for(made, services, [given, *controllers])
        return pod_from_dict(made, selector, self._storage)


def _pod_of(given: Object) -> Object:
    kind = given.get("kind", "Pod")
    if kind == "Pod":
        return given
    if kind not in _TEMPLATES:
        problem = f"{kind!r} is neither a Pod nor one of {', '.join(_TEMPLATES)}"
        raise SchedulerInputError("pod", "kind", problem)
    metadata, spec = given.get("metadata") or {}, given.get("spec") or {}
    template = spec.get("template") or {}
    name = metadata.get("name", "")
    own = {
        "name": name,
        "namespace": metadata.get("namespace", "default"),
        "ownerReferences": [{"kind": kind, "name": name, "controller": True}],
        **(template.get("metadata") or {}),
    }
    return {"metadata": own, "spec": template.get("spec") or {}}


def read_cluster(path: Path) -> ClusterFile:
    """A cluster from a file (``-`` is stdin).

    Raises:
        SchedulerInputError: it cannot be read, or an object in it is malformed.
    """
    return ClusterFile(read_objects(path))


def read_objects(path: Path) -> Iterator[Object]:
    """The objects of a file, those in Lists one by one.

    Raises:
        SchedulerInputError: it cannot be read, or is not Kubernetes objects.
    """
    for number, document in enumerate(_documents(path)):
        yield from _unlisted(document, str(path), f"document {number + 1}")


def read_one(path: Path) -> Object:
    """The only object of a file.

    Raises:
        SchedulerInputError: it cannot be read, or holds several or none.
    """
    found = list(read_objects(path))
    if len(found) != 1:
        raise SchedulerInputError(
            str(path), "objects", f"there are {len(found)}; give a single one"
        )
    return found[0]


def _unlisted(given: object, where: str, field: str) -> Iterator[Object]:
    if given is None:
        return
    if not isinstance(given, Mapping):
        raise SchedulerInputError(where, field, "is no Kubernetes object")
    if str(given.get("kind", "")).endswith("List") or ("items" in given and "kind" not in given):
        kind = str(given.get("kind", "")).removesuffix("List")
        for number, item in enumerate(given.get("items") or ()):
            listed = {"kind": kind, **item} if kind and isinstance(item, Mapping) else item
            yield from _unlisted(listed, where, f"{field}.items[{number}]")
        return
    yield given


def _documents(path: Path) -> list[Any]:
    text = _text_of(path)
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        pass
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        found = list(yaml.load_all(text, Loader=loader))
    except (yaml.YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise SchedulerInputError(str(path), "text", f"neither JSON nor YAML: {reason}") from None
    if not any(found):
        raise SchedulerInputError(str(path), "text", "holds no object")
    return found


def _text_of(path: Path) -> str:
    try:
        return sys.stdin.read() if path == STDIN else path.read_text(encoding="utf-8")
    except OSError as error:
        raise SchedulerInputError(str(path), "file", f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise SchedulerInputError(str(path), "text", "is not UTF-8") from None
