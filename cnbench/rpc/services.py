"""The calls that can be made: their paths, and the messages that go there and back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from cnbench.rpc import containerd_messages, cri_messages, csi_messages
from cnbench.rpc.messages import message

# containerd's and CSI's: path, request, response. Each is called by its service's and its own name
# ("Tasks.Create"), as the CRI's have a service alone that knows them.
_CONTAINERD = """
containerd.services.containers.v1.Containers/Create CreateContainerRequest CreateContainerResponse
containerd.services.containers.v1.Containers/Delete DeleteContainerRequest Empty
containerd.services.tasks.v1.Tasks/Create CreateTaskRequest CreateTaskResponse
containerd.services.tasks.v1.Tasks/Start StartRequest StartResponse
containerd.services.tasks.v1.Tasks/Get GetRequest GetResponse
containerd.services.tasks.v1.Tasks/Kill KillRequest Empty
containerd.services.tasks.v1.Tasks/Wait WaitRequest WaitResponse
containerd.services.tasks.v1.Tasks/Delete DeleteTaskRequest DeleteResponse
containerd.services.snapshots.v1.Snapshots/Prepare PrepareSnapshotRequest PrepareSnapshotResponse
containerd.services.snapshots.v1.Snapshots/Commit CommitSnapshotRequest Empty
containerd.services.snapshots.v1.Snapshots/Usage UsageRequest UsageResponse
containerd.services.snapshots.v1.Snapshots/Remove RemoveSnapshotRequest Empty
containerd.services.diff.v1.Diff/Apply ApplyRequest ApplyResponse
containerd.services.events.v1.Events/Subscribe SubscribeRequest Envelope
"""
NODE_OF_CSI = "Node"
_CSI = """
csi.v1.Node/NodeGetCapabilities NodeGetCapabilitiesRequest NodeGetCapabilitiesResponse
csi.v1.Node/NodePublishVolume NodePublishVolumeRequest NodePublishVolumeResponse
csi.v1.Node/NodeUnpublishVolume NodeUnpublishVolumeRequest NodeUnpublishVolumeResponse
"""
_WITH_SERVICE = {containerd_messages.PACKAGE: _CONTAINERD, csi_messages.PACKAGE: _CSI}
# The calls of the CRI that its other service has.
_OF_IMAGES = ("ListImages", "RemoveImage")


@dataclass(frozen=True)
class Method:
    """A call: its path, and the classes of its request and its response."""

    path: str
    request: Any
    response: Any


@cache
def method(name: str) -> Method:
    """The call ``name`` of the CRI, or of others where it has a dot; KeyError for no other."""
    if "." in name:
        return _with_service()[name]
    service = "ImageService" if name in _OF_IMAGES else "RuntimeService"
    return Method(
        f"/{cri_messages.PACKAGE}.{service}/{name}",
        message(f"{name}Request"),
        message(f"{name}Response"),
    )


@cache
def _with_service() -> dict[str, Method]:
    found = {}
    for package, lines in _WITH_SERVICE.items():
        for line in lines.strip().splitlines():
            path, *messages = line.split()
            classes = [message(each, package) for each in messages]
            name = path.rpartition(".")[2].replace("/", ".")
            found[name] = Method(f"/{path}", *classes)
    return found
