"""An API server in an enclave: kube-apiserver, or the one that serves custom resources alone."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from cnbench.containers.enclave import Enclave
from cnbench.control_plane.api.client import Client, connected, open_client
from cnbench.control_plane.api.stream import Stream, open_stream
from cnbench.control_plane.binaries import APIEXTENSIONS, Binaries
from cnbench.control_plane.servers import daemon, etcd
from cnbench.control_plane.servers.certificates import MASTERS, Certificates, Pair
from cnbench.control_plane.servers.daemon import Daemon

PORT = 6443
URL = f"https://127.0.0.1:{PORT}"
ADMIN = "cnbench-admin"
# Admission plug-ins that ask for what a server of custom resources alone does not have.
_NOT_ALONE = (
    "NamespaceLifecycle", "MutatingAdmissionWebhook", "ValidatingAdmissionWebhook",
    "ValidatingAdmissionPolicy", "MutatingAdmissionPolicy",
)  # fmt: skip


@dataclass(frozen=True)
class ApiServer:
    """An API server that answers. Use ``start_api_server``."""

    enclave: Enclave
    daemon: Daemon
    certificates: Certificates

    def context(self, pair: Pair | None = None) -> ssl.SSLContext:
        """For connections of whoever ``pair`` says; without it, of one who may do everything."""
        return _context(self.certificates, pair or _admin(self.certificates))

    def client(self) -> Client:
        """A connection of one who may do everything, to be closed by whoever asks."""
        return open_client(self.enclave.network, PORT, self.context())

    def stream(self) -> AbstractContextManager[Stream]:
        """A connection of the same, whose pieces have the kernel's times; raises CnbenchError."""
        return open_stream(connected(self.enclave.network, PORT), self.context())


def start_api_server(
    enclave: Enclave,
    binaries: Binaries,
    certificates: Certificates,
    folder: Path,
    *options: str,
    accounts: bool = False,
) -> ApiServer:
    """The API server among ``binaries``, beside an etcd that answers; it ends with the enclave.

    With ``accounts`` a pod has to have one, as in every cluster. Without, pods may be made before
    the controller that makes accounts has begun.

    Raises:
        UnsupportedError: there is no such program.
        CnbenchError: it does not answer.
    """
    alone = binaries.server == APIEXTENSIONS
    program = binaries.path("apiextensions-apiserver" if alone else "kube-apiserver")
    own = _alone(certificates) if alone else _whole(certificates, accounts=accounts)
    argv = [program, *_common(certificates, folder), *own, *options]
    # It asks for Services until it is ready, which the one of custom resources does not have.
    path = "/readyz?exclude=informer-sync" if alone else "/readyz"

    def answers() -> bool:
        with open_client(enclave.network, PORT, _context(certificates, _admin(certificates))) as to:
            return to.ask("GET", path).status == 200

    return ApiServer(enclave, daemon.start(enclave, folder, argv, answers), certificates)


def _context(certificates: Certificates, pair: Pair) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificates.authority.certificate))
    context.load_cert_chain(pair.certificate, pair.key)
    return context


def _admin(certificates: Certificates) -> Pair:
    return certificates.client(ADMIN, MASTERS)


def _common(certificates: Certificates, folder: Path) -> Sequence[str]:
    return (
        f"--etcd-servers={etcd.URL}",
        "--bind-address=127.0.0.1",
        f"--secure-port={PORT}",
        f"--cert-dir={folder}",
        f"--tls-cert-file={certificates.server.certificate}",
        f"--tls-private-key-file={certificates.server.key}",
        f"--client-ca-file={certificates.authority.certificate}",
    )


def _whole(certificates: Certificates, *, accounts: bool) -> Sequence[str]:
    without = () if accounts else ("--disable-admission-plugins=ServiceAccount",)
    return (
        "--advertise-address=127.0.0.1",
        "--authorization-mode=RBAC",
        f"--service-account-issuer={URL}",
        f"--service-account-signing-key-file={certificates.accounts}",
        f"--service-account-key-file={certificates.accounts}",
        "--service-cluster-ip-range=10.96.0.0/16",
        *without,
        "--allow-privileged",
    )


def _alone(certificates: Certificates) -> Sequence[str]:
    """It asks itself who may do what: there is no other."""
    itself = certificates.kubeconfig(URL, _admin(certificates))
    return (
        f"--kubeconfig={itself}",
        f"--authentication-kubeconfig={itself}",
        f"--authorization-kubeconfig={itself}",
        "--authentication-skip-lookup",
        f"--disable-admission-plugins={','.join(_NOT_ALONE)}",
        "--enable-priority-and-fairness=false",
    )
