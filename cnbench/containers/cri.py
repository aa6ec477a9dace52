"""Pods and containers over the Container Runtime Interface, as the kubelet asks for them.

The calls are made by a process of its own (``cnbench.rpc``), since a guest has no gRPC: it takes
the times around each call, and this side only passes on what is asked for.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cnbench.containers import image
from cnbench.containers.bundle import HOSTNAME, Wanted, targets
from cnbench.containers.containerd import Containerd
from cnbench.containers.first_process import PROGRAM
from cnbench.core.errors import CnbenchError, UnsupportedError

# runtime.v1: NamespaceMode and SecurityProfile.ProfileType.
_POD, _CONTAINER, _NODE = 0, 1, 2
_RUNTIME_DEFAULT, _UNCONFINED = 0, 1
READY, RUNNING = 0, 1


@dataclass(frozen=True)
class Called:
    """A call that was answered: when it began and ended (ns), and the response."""

    began: int
    ended: int
    said: dict[str, Any]

    @property
    def took(self) -> int:
        """Nanoseconds from call to answer."""
        return self.ended - self.began


@dataclass
class Cri:
    """A runtime's service. Use ``open_cri``."""

    daemon: Containerd
    _client: subprocess.Popen[str]
    _pods: int = field(default=0)

    def call(self, name: str, **fields: Any) -> Called:
        """Make the call ``name`` with the request's ``fields``.

        Raises:
            CnbenchError: the runtime refuses it, or the client has ended.
        """
        if self._client.stdin is None or self._client.stdout is None:
            raise ValueError("the client has no pipes")
        with contextlib.suppress(BrokenPipeError):
            self._client.stdin.write(json.dumps([name, fields]) + "\n")
            self._client.stdin.flush()
        line = self._client.stdout.readline()
        if not line:
            raise CnbenchError(f"{name}: the client of the CRI has ended")
        answer = json.loads(line)
        if "refused" in answer:
            raise CnbenchError(f"{name}: {answer['refused']}")
        return Called(answer["began"], answer["ended"], answer["said"])

    def pod(self, wanted: Wanted) -> dict[str, Any]:
        """The settings of another pod, as RunPodSandbox and CreateContainer want them."""
        self._pods += 1
        name = f"pod-{self._pods}"
        mode = _NODE if wanted.network == "host" else _POD
        spaces = {"network": mode, "pid": _CONTAINER}
        security = {"namespace_options": spaces, "seccomp": _profile(wanted)}
        return {
            "metadata": {"name": name, "uid": name, "namespace": "cnbench"},
            "log_directory": str(self.daemon.enclave.folder / "logs"),
            "linux": {"cgroup_parent": self.daemon.enclave.group, "security_context": security},
        } | ({} if mode == _NODE else {"hostname": HOSTNAME})  # fmt: skip

    def container(self, wanted: Wanted, extra: str) -> dict[str, Any]:
        """The settings of a container, which mounts ``extra`` as often as is wanted."""
        mode = _NODE if wanted.network == "host" else _POD
        spaces = {"network": mode, "pid": _CONTAINER}
        security = {
            "namespace_options": spaces, "seccomp": _profile(wanted), "no_new_privs": True,
        }  # fmt: skip
        paths = targets(wanted.mounts)
        return {
            "metadata": {"name": "first"},
            "image": {"image": image.NAME},
            "command": [PROGRAM],
            "mounts": [{"container_path": path, "host_path": extra} for path in paths],
            "log_path": "first.log",
            "linux": {"security_context": security},
        }


def _profile(wanted: Wanted) -> dict[str, int]:
    return {"profile_type": _RUNTIME_DEFAULT if wanted.seccomp else _UNCONFINED}


def require() -> None:
    """Raise UnsupportedError where this Python has no gRPC."""
    if any(importlib.util.find_spec(name) is None for name in ("grpc", "google.protobuf")):
        raise UnsupportedError(
            "the Container Runtime Interface needs gRPC, which this Python has not",
            "pip install grpcio protobuf; a guest has none: --lab host",
        )


@contextlib.contextmanager
def open_cri(daemon: Containerd) -> Iterator[Cri]:
    """The service of ``daemon``, through a client that ends on leaving.

    Raises:
        UnsupportedError: this Python has no gRPC.
        CnbenchError: the runtime is not ready; it says why.
    """
    require()
    argv = [
        sys.executable,
        "-m",
        "cnbench.rpc",
        str(daemon.enclave.outside(daemon.socket)),
        str(os.getpid()),
    ]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", process_group=0,
    ) as client:  # fmt: skip
        try:
            cri = Cri(daemon, client)
            _check_ready(cri)
            yield cri
        finally:
            client.kill()


def _check_ready(cri: Cri) -> None:
    conditions = cri.call("Status").said["status"]["conditions"]
    for condition in conditions:
        if not condition.get("status"):
            raise CnbenchError(
                f"containerd is not ready for pods: {condition.get('message') or condition}",
                "apt-get install containernetworking-plugins",
            )
