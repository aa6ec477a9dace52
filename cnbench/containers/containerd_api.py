"""Containers by containerd's own services, as its clients (dockerd, nerdctl) call them."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnbench.containers import bundle, image
from cnbench.containers.containerd import OWN
from cnbench.containers.grpc_client import Called, GrpcClient
from cnbench.containers.runtimes import OfOneBundle, Started

# What an OCI runtime's settings are called as a message (oci/spec.go), and the shim for runc.
_SPECIFICATION = "types.containerd.io/opencontainers/runtime-spec/1/Spec"
_RUNTIME = "io.containerd.runc.v2"
_RUNNING, _KILL = 2, 9


@dataclass(frozen=True)
class ContainerdApi(OfOneBundle):
    """A container and its task, of the bundle's files or of a snapshot of the image."""

    client: GrpcClient

    def start(self) -> Started:
        """Create a container and its task, and start that."""
        name = self.client.daemon.enclave.new_name()
        created = [self._call("Containers.Create", container=self._container(name))]
        mounts = []
        if self.wanted.snapshotter:
            # Not before: a snapshot that no container names may be taken for garbage.
            parent = image.image(self.wanted.layers).chain
            prepared = self._call("Snapshots.Prepare", **self._snapshot(name), parent=parent)
            mounts = prepared.said["mounts"]
            created.append(prepared)
        created.append(self._call("Tasks.Create", container_id=name, rootfs=mounts))
        started = self._call("Tasks.Start", container_id=name)
        steps = {"create": sum(call.took for call in created), "launch": started.took}
        return Started(name, created[-1].said["pid"], created[0].began, steps)

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

    def _call(self, method: str, **fields: Any) -> Called:
        return self.client.call(method, OWN, **fields)

    def _snapshot(self, name: str) -> dict[str, str]:
        return {"snapshotter": self.wanted.snapshotter, "key": name}

    def _container(self, name: str) -> dict[str, Any]:
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
