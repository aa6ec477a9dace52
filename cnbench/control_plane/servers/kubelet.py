"""A kubelet beside an API server and a containerd: a node that runs its pods.

What it would change of the whole machine it finds as it wants it: the sysctls that it sets at its
start (pkg/kubelet/cm/container_manager_linux.go, setupKernelTunables) are files of its own here,
which have those values already. Pods' cgroups are below the run's folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnbench.containers.containerd import Containerd
from cnbench.control_plane.api.client import Client
from cnbench.control_plane.servers import daemon
from cnbench.control_plane.servers.api_server import URL
from cnbench.control_plane.servers.certificates import MASTERS
from cnbench.control_plane.servers.daemon import Daemon
from cnbench.control_plane.servers.plane import Plane
from cnbench.control_plane.servers.requests import ask
from cnbench.core.errors import CnbenchError
from cnbench.lab import commands
from cnbench.lab.waiting import wait_until

KUBELET = "kubelet"
NODE = "node-real"
# A node's address is no loopback's (pkg/kubelet/nodestatus/setters.go).
_DEVICE, _ADDRESS = "cnbench-node", "10.90.0.1"
_FIGURES, _HEALTH = 10255, 10248
_PATIENCE = 120.0
# What it wants of the kernel (pkg/util/sysctl/sysctl.go).
_SYSCTLS = {
    "vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10",
    "kernel/panic_on_oops": "1", "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}  # fmt: skip
# Before, its own default was Docker; later there is no such option.
_FIRST_WITH_REMOTE_ALONE = 24


@dataclass(frozen=True)
class Kubelet:
    """A kubelet that answers. Use ``start_kubelet``."""

    plane: Plane
    daemon: Daemon

    def figures(self) -> str:
        """What it counts of itself, in Prometheus' text format; raises CnbenchError."""
        return ask(self.plane.enclave.network, _FIGURES, "/metrics")[1].decode()

    def await_ready(self, client: Client) -> None:
        """Wait until the API server has its node as ready.

        Raises:
            CnbenchError: it is not, or the kubelet has ended; the message says what it says.
        """

        def ready() -> bool:
            return _ready_condition(client).get("status") == "True"

        try:
            wait_until(
                ready, "the node is not ready", within=_PATIENCE, every=0.02,
                meanwhile=self.daemon.memory,
            )  # fmt: skip
        except CnbenchError as error:
            told = _ready_condition(client).get("message") or self.daemon.last_words()
            raise CnbenchError(f"{error}: {told}") from error


def start_kubelet(plane: Plane, runtime: Containerd) -> Kubelet:
    """A kubelet whose pods ``runtime`` runs, both in the enclave of ``plane``; ends with that.

    Raises:
        UnsupportedError: there is no such program.
        CnbenchError: it does not answer.
    """
    program = plane.binaries.path(KUBELET)
    enclave, folder = plane.enclave, plane.folder / KUBELET
    folder.mkdir()
    for number, (name, value) in enumerate(_SYSCTLS.items()):
        stand_in = folder / f"sysctl-{number}"
        stand_in.write_text(f"{value}\n")
        enclave.do("bind", str(stand_in), f"/proc/sys/{name}")
    enclave.run("ip", "link", "add", _DEVICE, "type", "bridge")
    enclave.run("ip", "address", "add", f"{_ADDRESS}/24", "dev", _DEVICE)
    settings = folder / "settings.json"
    settings.write_text(json.dumps(_settings(enclave.group, str(folder))))
    pair = plane.certificates.client(f"system:node:{NODE}", MASTERS)
    argv = [
        program, f"--config={settings}", f"--kubeconfig={plane.certificates.kubeconfig(URL, pair)}",
        f"--container-runtime-endpoint=unix://{runtime.socket}", f"--cert-dir={folder}",
        f"--hostname-override={NODE}", f"--node-ip={_ADDRESS}", *_of_release(program),
    ]  # fmt: skip
    network = enclave.network
    running = daemon.start(
        enclave, folder, argv, lambda: ask(network, _HEALTH, "/healthz")[0] == 200
    )
    return Kubelet(plane, running)


def _of_release(program: str) -> list[str]:
    """Options that not all releases have."""
    said = commands.run([program, "--version"]).stdout
    release = re.search(r"v1\.(\d+)", said)
    old = release is not None and int(release[1]) < _FIRST_WITH_REMOTE_ALONE
    return ["--container-runtime=remote"] if old else []


def _settings(group: str, folder: str) -> Mapping[str, Any]:
    """KubeletConfiguration; what is not named is as by default."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": "127.0.0.1",
        "readOnlyPort": _FIGURES,
        "healthzPort": _HEALTH,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": group,
        "enforceNodeAllocatable": [],
        "failSwapOn": False,
        "volumePluginDir": f"{folder}/plug-ins",
        # This machine's disk is none of its business.
        "evictionHard": {"memory.available": "0%"},
        "imageGCHighThresholdPercent": 100,
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
    }


def _ready_condition(client: Client) -> Mapping[str, str]:
    reply = client.ask("GET", f"/api/v1/nodes/{NODE}")
    if reply.status != 200:  # it has not made its node yet
        return {}
    conditions = reply.said()["status"].get("conditions", [])
    return next((one for one in conditions if one["type"] == "Ready"), {})
