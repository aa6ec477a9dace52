"""Containers by containerd's own services, as its clients (dockerd, nerdctl) call them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnbench.containers import bundle, image
from cnbench.containers.containerd import OWN
from cnbench.containers.grpc_client import Called, GrpcClient
from cnbench.containers.runtimes import Started, Together

# What an OCI runtime's settings are called as a message (oci/spec.go), and the shim for runc.
_SPECIFICATION = "types.containerd.io/opencontainers/runtime-spec/1/Spec"
_RUNTIME = "io.containerd.runc.v2"
_RUNNING, _KILL = 2, 9


@dataclass(frozen=True)
class ContainerdApi(Together):
    """Containers and their tasks, of the bundle's files or of snapshots of the image."""

    client: GrpcClient

    def start_together(self, count: int) -> list[Started]:
        """Create containers and their tasks, and start those."""
        names = [self.client.daemon.enclave.new_name() for _ in range(count)]
        created = self._each("Containers.Create", [{"container": self._of(name)} for name in names])
        prepared = self._prepared(names)
        tasks = self._each(
            "Tasks.Create",
            [
                {"container_id": name, "rootfs": one.said["mounts"] if one else []}
                for name, one in zip(names, prepared, strict=True)
            ],
        )
        started = self._each("Tasks.Start", [{"container_id": name} for name in names])
        return [
            Started(name, task.said["pid"], first.began, {
                "create": first.took + (snapshot.took if snapshot else 0) + task.took,
                "launch": last.took,
            })
            for name, first, snapshot, task, last in zip(
                names, created, prepared, tasks, started, strict=True
            )
        ]  # fmt: skip

    def _prepared(self, names: Sequence[str]) -> Sequence[Called | None]:
        """The snapshot of each container; None where its files are the bundle's.

        Not before there is the container: a snapshot that none names may be taken for garbage.
        """
        if not self.wanted.snapshotter:
            return [None] * len(names)
        parent = image.image(self.wanted.layers).chain
        return self._each(
            "Snapshots.Prepare", [self._snapshot(name) | {"parent": parent} for name in names]
        )

    def state(self, started: Started) -> str:
        """The state of its task."""
        process = self._call("Tasks.Get", container_id=started.name).said["process"]
        status = process.get("status", 0)
        return "running" if status == _RUNNING else f"status {status}"

    def stop(self, started: Started) -> int:
        """Have its task killed, waited for and deleted, and then what is kept of the container."""
        name = started.name
        killed = self._call("Tasks.Kill", container_id=name, signal=_KILL)
        self._call("Tasks.Wait", container_id=name)
        self._call("Tasks.Delete", container_id=name)
        if self.wanted.snapshotter:  # while a container names it, nobody takes it for garbage
            self._call("Snapshots.Remove", **self._snapshot(name))
        return self._call("Containers.Delete", id=name).ended - killed.began

    def _each(self, method: str, asked: Sequence[Mapping[str, Any]]) -> list[Called]:
        """Make one call, or as many at once."""
        if len(asked) == 1:
            return [self._call(method, **asked[0])]
        return self.client.call_together(method, OWN, asked)

    def _call(self, method: str, **fields: Any) -> Called:
        return self.client.call(method, OWN, **fields)

    def _snapshot(self, name: str) -> dict[str, str]:
        return {"snapshotter": self.wanted.snapshotter, "key": name}

    def _of(self, name: str) -> dict[str, Any]:
        # A snapshot is mounted on the folder "rootfs" of the bundle that containerd makes.
        root = Path("rootfs") if self.wanted.snapshotter else self.files.root
        cgroup = f"{self.client.daemon.enclave.group}/{name}"
        asked = bundle.specification(self.wanted, root, cgroup, self.files.extra)
        value = base64.b64encode(json.dumps(asked).encode()).decode()
        made = {
            "id": name,
            "runtime": {"name": _RUNTIME},
            "spec": {"type_url": _SPECIFICATION, "value": value},
        }
        if self.wanted.snapshotter:
            made |= {"snapshotter": self.wanted.snapshotter, "snapshot_key": name}
        return made
