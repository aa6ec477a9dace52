"""An image's layers, laid out by a snapshotter of containerd's as its clients do it.

For each layer, from the lowest: prepare a snapshot on the one below, apply the layer's tar to it,
and commit it (pkg rootfs of containerd, apply.go).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cnbench.containers.containerd import OWN
from cnbench.containers.grpc_client import Called, GrpcClient
from cnbench.containers.image import Layer

OVERLAYFS, NATIVE = "overlayfs", "native"
PREPARE, APPLY, COMMIT = "prepare", "apply", "commit"
# Without an image that names it, a snapshot is garbage unless it says that it is none.
_KEPT = [{"key": "containerd.io/gc.root", "value": "1970-01-01T00:00:00Z"}]


@dataclass
class Snapshots:
    """Layers of an image in the store of ``client``'s daemon, by ``snapshotter``.

    Attributes:
        took: ns of each step, all layers together, by its name.
        applied: the digests of what was applied, as containerd says.
    """

    client: GrpcClient
    snapshotter: str
    layers: Sequence[Layer]
    took: dict[str, int] = field(default_factory=dict)
    applied: list[str] = field(default_factory=list)

    def unpack(self) -> int:
        """Lay out all layers: ns from the first call to the last answer; raises CnbenchError."""
        self.took = dict.fromkeys((PREPARE, APPLY, COMMIT), 0)
        self.applied.clear()
        calls, below = [], ""
        for number, layer in enumerate(self.layers):
            calls += self._lay_out(layer, below, f"cnbench-unpacking-{number}")
            below = layer.chain
        return calls[-1].ended - calls[0].began

    def _lay_out(self, layer: Layer, below: str, key: str) -> list[Called]:
        prepared = self._call("Snapshots.Prepare", key=key, parent=below, labels=_KEPT)
        described = {"media_type": layer.media, "digest": layer.digest, "size": layer.size}
        applied = self.client.call(
            "Diff.Apply", OWN, diff=described, mounts=prepared.said["mounts"]
        )
        self.applied.append(applied.said["applied"]["digest"])
        committed = self._call("Snapshots.Commit", name=layer.chain, key=key, labels=_KEPT)
        for step, call in ((PREPARE, prepared), (APPLY, applied), (COMMIT, committed)):
            self.took[step] += call.took
        return [prepared, applied, committed]

    def space(self) -> int:
        """Bytes that all layers take as they are laid out; raises CnbenchError."""
        told = (self._call("Snapshots.Usage", key=layer.chain).said for layer in self.layers)
        return sum(int(usage.get("size", 0)) for usage in told)

    def listed(self) -> set[str]:
        """What the snapshotter has, by the names of chains; raises CommandError."""
        ran = self.client.daemon.ctr("snapshots", "--snapshotter", self.snapshotter, "ls")
        return {line.split()[0] for line in ran.output.splitlines()[1:]}

    def remove(self) -> int:
        """Remove all layers, the highest first: ns of that; raises CnbenchError."""
        calls = [self._call("Snapshots.Remove", key=layer.chain) for layer in self.layers[::-1]]
        return calls[-1].ended - calls[0].began

    def _call(self, method: str, **fields: object) -> Called:
        return self.client.call(method, OWN, snapshotter=self.snapshotter, **fields)
