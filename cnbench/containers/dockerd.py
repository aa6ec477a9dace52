"""dockerd in an enclave, and its API over its socket."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cnbench.containers import image
from cnbench.containers.enclave import Enclave
from cnbench.core.errors import CnbenchError
from cnbench.lab import commands
from cnbench.lab.waiting import wait_until

# Seconds for the daemon to answer: it starts a containerd of its own.
_PATIENCE = 60.0
_SOCKET = "/run/cnbench-docker.sock"


@dataclass(frozen=True)
class Answered:
    """A call of the API that was answered: when it began and ended (ns), and what was said."""

    began: int
    ended: int
    said: Any

    @property
    def took(self) -> int:
        """Nanoseconds from call to answer."""
        return self.ended - self.began


class _Connection(http.client.HTTPConnection):
    """HTTP over a socket of the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("docker", timeout=_PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


@dataclass(frozen=True)
class Dockerd:
    """A daemon that answers. Use ``open_dockerd``.

    Attributes:
        enclave: where it lives.
        socket: what it listens on, in the enclave.
    """

    enclave: Enclave
    socket: str
    _connection: _Connection

    def call(self, method: str, path: str, body: object = None) -> Answered:
        """Make one call of the API; raises CnbenchError with what the daemon says."""
        headers = {"Content-Type": "application/json", "Host": "docker"}
        text = json.dumps(body) if body is not None else None
        began = time.perf_counter_ns()
        try:
            self._connection.request(method, path, text, headers)
            response = self._connection.getresponse()
            said = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise CnbenchError(f"dockerd does not answer {method} {path}: {error}") from error
        ended = time.perf_counter_ns()
        if response.status >= http.client.BAD_REQUEST:
            raise CnbenchError(f"dockerd refuses {method} {path}: {said.decode().strip()}")
        return Answered(began, ended, json.loads(said) if said[:1] in (b"{", b"[") else None)

    @contextlib.contextmanager
    def reached_by(self, socket: str) -> Iterator[Dockerd]:
        """The same daemon by another socket, at which somebody passes calls on."""
        with contextlib.closing(_Connection(self.enclave.outside(socket))) as connection:
            yield replace(self, socket=socket, _connection=connection)

    @contextlib.contextmanager
    def image_of(self, layers: int) -> Iterator[None]:
        """Have the image of so many layers; raises CommandError."""
        tar = self.enclave.folder / f"image-for-docker-{layers}.tar"
        tar.write_bytes(image.image(layers).tar)
        docker = commands.require("docker")
        self.enclave.run(docker, "--host", f"unix://{self.socket}", "load", "-i", str(tar))
        yield


@contextlib.contextmanager
def open_dockerd(enclave: Enclave, containerd: str = "") -> Iterator[Dockerd]:
    """A dockerd that has the image, without networks of its own; it ends with the enclave.

    ``containerd`` is the socket of the one that it uses; it starts its own where that is empty.

    Raises:
        UnsupportedError: dockerd or docker is not installed.
        CnbenchError: it does not answer; the message ends with what it logged last.
    """
    folder = enclave.folder / "docker"
    folder.mkdir()
    daemon = Dockerd(enclave, _SOCKET, _Connection(enclave.outside(_SOCKET)))
    log, settings = folder / "log", folder / "daemon.json"
    settings.write_text("{}")  # the host's own is not ours to follow
    argv = [
        commands.require("dockerd"), "--config-file", str(settings),
        "--host", f"unix://{daemon.socket}", "--data-root", "/var/lib/docker",
        "--exec-root", "/run/docker", "--pidfile", "/run/docker.pid",
        "--iptables=false", "--bridge=none", "--exec-opt", "native.cgroupdriver=cgroupfs",
        *(["--containerd", containerd] if containerd else []),
    ]  # fmt: skip
    enclave.do("serve", argv, str(log), {})
    try:
        wait_until(
            lambda: _answers(daemon), "dockerd does not answer", within=_PATIENCE, every=0.05
        )
    except CnbenchError as error:
        raise CnbenchError(f"{error}: {log.read_text()[-500:]}") from error
    with contextlib.closing(daemon._connection), daemon.image_of(1):
        yield daemon


def _answers(daemon: Dockerd) -> bool:
    try:
        daemon.call("GET", "/_ping")
    except CnbenchError:
        return False
    return True
