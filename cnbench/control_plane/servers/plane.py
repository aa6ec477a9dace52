"""A control plane: etcd and an API server in an enclave, and what else is asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cnbench.containers.enclave import Enclave, open_enclave
from cnbench.control_plane.binaries import Binaries
from cnbench.control_plane.servers.api_server import ApiServer, start_api_server
from cnbench.control_plane.servers.certificates import Certificates, make_certificates
from cnbench.control_plane.servers.etcd import Etcd, start_etcd
from cnbench.lab import commands
from cnbench.lab.host import Lab


@dataclass(frozen=True)
class Plane:
    """Servers that answer. Use ``open_plane``.

    Attributes:
        enclave: where they live.
        folder: for their logs and keys.
        binaries: their programs.
        certificates: who is who.
    """

    enclave: Enclave
    folder: Path
    binaries: Binaries
    certificates: Certificates
    etcd: Etcd
    api: ApiServer


def require_plane(lab: Lab) -> None:
    """Raise UnsupportedError where no control plane can be started, whatever its programs."""
    lab.require_namespaces()
    lab.require_mounts()
    commands.require("openssl")


@contextlib.contextmanager
def open_plane(lab: Lab, binaries: Binaries, store: str, *options: str) -> Iterator[Plane]:
    """A control plane of its own, whose servers end on leaving.

    Args:
        lab: where.
        binaries: the servers' programs.
        store: where etcd keeps its state.
        options: for the API server, beside those that it needs.

    Raises:
        UnsupportedError: a program is missing, or this user cannot make the enclave.
        CnbenchError: a server does not answer.
    """
    with open_enclave(lab, grouped=False) as enclave:
        yield start_plane(enclave, binaries, store, *options)


def start_plane(
    enclave: Enclave, binaries: Binaries, store: str, *options: str, accounts: bool = False
) -> Plane:
    """A control plane in ``enclave``, with which it ends; for the rest see ``open_plane``.

    With ``accounts`` a pod has to have one (``start_api_server``).
    """
    folder = enclave.folder / "control-plane"
    folder.mkdir()
    certificates = make_certificates(folder)
    etcd = start_etcd(enclave, binaries, folder, store)
    api = start_api_server(enclave, binaries, certificates, folder, *options, accounts=accounts)
    return Plane(enclave, folder, binaries, certificates, etcd, api)
