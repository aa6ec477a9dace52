"""etcd in an enclave, its state in memory or on this machine's disk."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnbench.containers.enclave import Enclave, open_enclave
from cnbench.control_plane.api.client import Client, connected, open_client
from cnbench.control_plane.binaries import Binaries
from cnbench.control_plane.servers import daemon
from cnbench.control_plane.servers.daemon import Daemon
from cnbench.control_plane.servers.requests import ask
from cnbench.core.errors import CnbenchError
from cnbench.lab.host import Lab

# Where etcd keeps its state. In memory, fsync is nothing; unsynced, it is never called.
MEMORY, DISK, UNSYNCED = "memory", "disk", "unsynced"
# Of a cluster of the user's it is not ours to know.
UNKNOWN = "unknown"
STORES = (MEMORY, DISK)
_IN_MEMORY = "/run/cnbench-etcd"
_PORT, _PEERS = 2379, 2380
URL = f"http://127.0.0.1:{_PORT}"
# etcd refuses writes beyond it; its own default is 2 GB.
_QUOTA = 8 << 30


@dataclass(frozen=True)
class Etcd:
    """An etcd that answers. Use ``start_etcd``."""

    enclave: Enclave
    daemon: Daemon
    data: str

    def client(self) -> Client:
        """A connection to its gRPC gateway, to be closed by whoever asks."""
        return open_client(self.enclave.network, _PORT)

    def connection(self) -> socket.socket:
        """The same as a socket; raises CnbenchError."""
        return connected(self.enclave.network, _PORT)

    def in_memory(self) -> bool:
        """Whether its state is, as the kernel says; raises CnbenchError where etcd has ended."""
        return self.daemon.file_system(self.data) == "tmpfs"

    def call(self, method: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Ask etcd over its gRPC gateway, such as ``kv/range``.

        Raises:
            CnbenchError: it refused.
        """
        status, body = ask(
            self.enclave.network, _PORT, f"/v3/{method}", method="POST", body=json.dumps(asked)
        )
        answer: dict[str, Any] = json.loads(body)
        if status != 200:
            raise CnbenchError(f"etcd refused {method}: {answer.get('error', body)}")
        return answer

    def revision(self) -> int:
        """The number of its last change; raises CnbenchError."""
        key = base64.b64encode(b"/").decode()
        said = self.call("kv/range", {"key": key, "limit": 1})
        return int(said["header"]["revision"])

    def compact(self) -> int:
        """Forget all but the newest version of everything: the revision; raises CnbenchError."""
        revision = self.revision()
        self.call("kv/compaction", {"revision": str(revision), "physical": True})
        return revision


def start_etcd(
    enclave: Enclave, binaries: Binaries, folder: Path, store: str, *options: str
) -> Etcd:
    """An etcd with its state in ``store``, MEMORY, DISK or UNSYNCED; it ends with the enclave.

    Raises:
        UnsupportedError: there is no such program.
        CnbenchError: it does not answer.
    """
    data = _IN_MEMORY if store == MEMORY else str(folder / "etcd")
    peers = f"http://127.0.0.1:{_PEERS}"
    argv = [
        binaries.path("etcd"), f"--data-dir={data}", "--name=cnbench",
        f"--listen-client-urls={URL}", f"--advertise-client-urls={URL}",
        f"--listen-peer-urls={peers}", f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=cnbench={peers}", f"--quota-backend-bytes={_QUOTA}",
        "--log-level=warn", "--logger=zap", *options,
    ]  # fmt: skip
    if store == UNSYNCED:
        argv.append("--unsafe-no-fsync")
    running = daemon.start(
        enclave, folder, argv, lambda: ask(enclave.network, _PORT, "/health")[0] == 200
    )
    return Etcd(enclave, running, data)


@contextlib.contextmanager
def open_etcd(lab: Lab, binaries: Binaries, store: str) -> Iterator[Etcd]:
    """An etcd alone in an enclave, which counts and times all calls; it ends on leaving.

    Raises:
        UnsupportedError: there is no such program, or this user cannot make the enclave.
        CnbenchError: it does not answer.
    """
    with open_enclave(lab, grouped=False) as enclave:
        folder = enclave.folder / "etcd-alone"
        folder.mkdir()
        yield start_etcd(enclave, binaries, folder, store, "--metrics=extensive")
