"""kube-controller-manager and kube-scheduler beside an API server."""

from __future__ import annotations

import ssl

from cnbench.control_plane.servers import daemon
from cnbench.control_plane.servers.api_server import URL
from cnbench.control_plane.servers.certificates import MASTERS
from cnbench.control_plane.servers.daemon import Daemon
from cnbench.control_plane.servers.plane import Plane
from cnbench.control_plane.servers.requests import ask
from cnbench.lab.netns import NetworkNamespace

MANAGER, SCHEDULER = "kube-controller-manager", "kube-scheduler"
_MANAGER_PORT, _SCHEDULER_PORT = 10257, 10259
_SECONDS = 10.0


def start_controller_manager(plane: Plane, *, kubelets: bool = False) -> Daemon:
    """All controllers; ends with the enclave.

    Where nodes have no ``kubelets``, without the one that would give them up. It is also the one
    that takes a new node's taint away once its kubelet says that it is ready.

    Raises:
        UnsupportedError: there is no such program.
        CnbenchError: it does not answer.
    """
    certificates = plane.certificates
    return _start(
        plane, MANAGER, _MANAGER_PORT,
        f"--controllers=*{'' if kubelets else ',-nodelifecycle'}",
        f"--service-account-private-key-file={certificates.accounts}",
        f"--root-ca-file={certificates.authority.certificate}",
        f"--flex-volume-plugin-dir={plane.folder}",
    )  # fmt: skip


def start_scheduler(plane: Plane) -> Daemon:
    """The scheduler with its default profile; it ends with the enclave.

    Raises:
        UnsupportedError: there is no such program.
        CnbenchError: it does not answer.
    """
    return _start(plane, SCHEDULER, _SCHEDULER_PORT)


def _start(plane: Plane, program: str, port: int, *options: str) -> Daemon:
    pair = plane.certificates.client(f"system:{program}", MASTERS)
    argv = [
        plane.binaries.path(program), f"--kubeconfig={plane.certificates.kubeconfig(URL, pair)}",
        "--leader-elect=false", "--bind-address=127.0.0.1", f"--secure-port={port}", "--port=0",
        f"--cert-dir={plane.folder}/{program}", *options,
    ]  # fmt: skip
    network = plane.enclave.network
    return daemon.start(plane.enclave, plane.folder, argv, lambda: _is_healthy(network, port))


def _is_healthy(network: NetworkNamespace, port: int) -> bool:
    """Whether it says so; its certificate is one that it has made itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return ask(network, port, "/healthz", context=context, seconds=_SECONDS)[0] == 200
