"""Pods and containers over the Container Runtime Interface, as the kubelet asks for them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cnbench.containers import image
from cnbench.containers.bundle import HOSTNAME, Wanted, targets
from cnbench.containers.containerd import Containerd
from cnbench.containers.first_process import PROGRAM
from cnbench.containers.grpc_client import Called, GrpcClient, open_grpc_client
from cnbench.core.errors import CnbenchError

# runtime.v1: NamespaceMode and SecurityProfile.ProfileType.
_POD, _CONTAINER, _NODE = 0, 1, 2
_RUNTIME_DEFAULT, _UNCONFINED = 0, 1
READY, RUNNING = 0, 1


@dataclass
class Cri:
    """A runtime's service. Use ``open_cri``."""

    client: GrpcClient
    _pods: int = field(default=0)

    @property
    def daemon(self) -> Containerd:
        """Whose service it is."""
        return self.client.daemon

    def call(self, name: str, **fields: Any) -> Called:
        """Make the call ``name`` with the request's ``fields``; raises CnbenchError."""
        return self.client.call(name, **fields)

    def each(self, name: str, asked: Sequence[Mapping[str, Any]]) -> list[Called]:
        """Make the call ``name`` once, or as often at once as fields of requests are given.

        Raises:
            CnbenchError: the runtime refuses one.
        """
        if len(asked) == 1:
            return [self.call(name, **asked[0])]
        return self.client.call_together(name, "", asked)

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
            "image": {"image": image.name(wanted.layers)},
            "command": [PROGRAM],
            "mounts": [{"container_path": path, "host_path": extra} for path in paths],
            "log_path": "first.log",
            "linux": {"security_context": security},
        }


def _profile(wanted: Wanted) -> dict[str, int]:
    return {"profile_type": _RUNTIME_DEFAULT if wanted.seccomp else _UNCONFINED}


@contextlib.contextmanager
def open_cri(daemon: Containerd) -> Iterator[Cri]:
    """The service of ``daemon``, through a client that ends on leaving.

    Raises:
        UnsupportedError: this Python has no gRPC.
        CnbenchError: the runtime is not ready; it says why.
    """
    with open_grpc_client(daemon) as client:
        cri = Cri(client)
        _check_ready(cri)
        yield cri


def _check_ready(cri: Cri) -> None:
    conditions = cri.call("Status").said["status"]["conditions"]
    for condition in conditions:
        if not condition.get("status"):
            raise CnbenchError(
                f"containerd is not ready for pods: {condition.get('message') or condition}",
                "apt-get install containernetworking-plugins",
            )
