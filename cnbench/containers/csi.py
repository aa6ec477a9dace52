"""A CSI driver of ours in an enclave, and what the kubelet asks of it for a volume."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cnbench.containers.enclave import Enclave
from cnbench.containers.grpc_client import Called, RpcClient, open_client_at
from cnbench.core.errors import CnbenchError
from cnbench.lab.waiting import wait_until

_PATIENCE = 30.0
# csi.proto, AccessMode: SINGLE_NODE_WRITER.
_WRITABLE_HERE = 1
# A file that a volume has in it.
MARK = "volume"
# An accepted socket has its listener's path, its client's network namespace, and this state
# (SS_CONNECTED; unix_stream_connect of net/unix/af_unix.c).
_SOCKETS, _CONNECTED = Path("/proc/net/unix"), "03"


@dataclass(frozen=True)
class Driver:
    """A driver that answers. Use ``open_driver``.

    Attributes:
        folder: of the targets.
        socket: what it listens on, in the enclave; no other's has this name.
    """

    enclave: Enclave
    client: RpcClient
    folder: Path
    socket: str
    _volumes: Path
    _log: Path

    def publish(self, name: str) -> list[Called]:
        """Publish the new volume ``name`` by the calls that the kubelet makes for one.

        It asks what the driver can do (whether volumes are staged first), and then for the volume
        (pkg/volume/csi/csi_mounter.go, SetUpAt).

        Raises:
            CnbenchError: the driver refuses.
        """
        volume = self._volumes / name
        volume.mkdir()
        (volume / MARK).write_text(name)
        mode = {"mount": {}, "access_mode": {"mode": _WRITABLE_HERE}}
        asked = {"volume_id": name, "target_path": str(self.target(name))}
        return [
            self.client.call("Node.NodeGetCapabilities"),
            self.client.call("Node.NodePublishVolume", **asked, volume_capability=mode),
        ]

    def unpublish(self, name: str) -> Called:
        """Unpublish a volume; raises CnbenchError."""
        return self.client.call(
            "Node.NodeUnpublishVolume", volume_id=name, target_path=str(self.target(name))
        )

    def target(self, name: str) -> Path:
        """Where the volume ``name`` is mounted, in the enclave."""
        return self.folder / name

    def mounts(self, name: str) -> int:
        """How often something is mounted on a volume's target."""
        lines = str(self.enclave.do("read", "/proc/self/mountinfo")).splitlines()
        return sum(line.split()[4] == str(self.target(name)) for line in lines)

    def contents(self, name: str) -> str:
        """What a volume's file says at the target; empty where there is none."""
        file = self.enclave.outside(f"{self.target(name)}/{MARK}")
        return file.read_text() if file.exists() else ""

    def connections(self) -> int:
        """How many connections it has."""
        lines = (line.split() for line in _SOCKETS.read_text().splitlines())
        return sum(words[-1] == self.socket and words[5] == _CONNECTED for words in lines)

    def told(self) -> list[tuple[str, int]]:
        """Each call that it was asked for so far, and the ns of its own part."""
        lines = (line.split() for line in self._log.read_text().splitlines())
        return [(name, int(took)) for name, took in lines]


@contextlib.contextmanager
def open_driver(enclave: Enclave, connections: str) -> Iterator[Driver]:
    """A driver, and a client that uses ``connections`` as said; it ends with the enclave.

    Raises:
        UnsupportedError: this Python has no gRPC.
        CnbenchError: it does not answer; the message ends with what it wrote last.
    """
    folder = enclave.folder / "csi"
    targets, volumes, log = folder / "targets", folder / "volumes", folder / "log"
    for each in (folder, targets, volumes):
        each.mkdir()
    socket = f"/run/cnbench-csi-{os.getpid()}-{enclave.new_name()}"
    argv = [sys.executable, "-m", "cnbench.rpc.csi_driver", socket, str(volumes)]
    enclave.do("serve", argv, str(log), {})
    listens = enclave.outside(socket)
    try:
        wait_until(listens.exists, "the CSI driver does not listen", within=_PATIENCE)
    except CnbenchError as error:
        raise CnbenchError(f"{error}: {log.read_text()[-500:]}") from error
    with open_client_at(listens, connections) as client:
        yield Driver(enclave, client, targets, socket, volumes, log)
