"""Calls of a daemon's gRPC services, made by a process of its own (``cnbench.rpc``).

A guest has no gRPC, so nothing here speaks it: that process takes the times around each call, and
this side passes on what is asked for.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnbench.containers.containerd import Containerd
from cnbench.core.errors import CnbenchError, UnsupportedError

# Topics of containerd's events that can be waited for.
EXIT, OUT_OF_MEMORY = "/tasks/exit", "/tasks/oom"
# How a client uses connections, as ``cnbench.rpc`` is told: one for all calls, or one for each, as
# the kubelet calls CSI drivers (pkg/volume/csi/csi_client.go).
KEPT, ANEW = "kept", "anew"


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
class RpcClient:
    """The services behind a socket. Use ``open_client_at``."""

    _process: subprocess.Popen[str]

    def call(self, name: str, namespace: str = "", /, **fields: Any) -> Called:
        """Make the call ``name`` with the request's ``fields``, in containerd's ``namespace``.

        Raises:
            CnbenchError: the runtime refuses it, or the client has ended.
        """
        return _called(self._answer(name, namespace, fields))

    def call_together(
        self, name: str, namespace: str, each: Sequence[Mapping[str, Any]]
    ) -> list[Called]:
        """Make the call ``name`` once with each of the requests' fields, all at once.

        Raises:
            CnbenchError: the runtime refuses one, or the client has ended.
        """
        return [_called(answer) for answer in self._answer(name, namespace, each)["all"]]

    def _answer(self, name: str, namespace: str, asked: object) -> dict[str, Any]:
        if self._process.stdin is None or self._process.stdout is None:
            raise ValueError("the client has no pipes")
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps([name, asked, namespace]) + "\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise CnbenchError(f"{name}: the client has ended")
        answer: dict[str, Any] = json.loads(line)
        if "refused" in answer:
            raise CnbenchError(f"{name}: {answer['refused']}")
        return answer


def _called(answer: Mapping[str, Any]) -> Called:
    return Called(answer["began"], answer["ended"], answer["said"])


@dataclass
class GrpcClient(RpcClient):
    """The services behind a daemon's socket. Use ``open_grpc_client``."""

    daemon: Containerd

    def subscribe(self) -> None:
        """Listen to containerd's events from now on."""
        self.call("Subscribe")

    def told(self, topic: str, container: str, within: float) -> Called:
        """When the next event of ``topic`` told of ``container``, and what it said.

        Raises:
            CnbenchError: none did within so many seconds, or nobody listens.
        """
        return self.call("AwaitEvent", topic=topic, container_id=container, within=within)


def require() -> None:
    """Raise UnsupportedError where this Python has no gRPC."""
    if any(importlib.util.find_spec(name) is None for name in ("grpc", "google.protobuf")):
        raise UnsupportedError(
            "such services need gRPC, which this Python has not",
            "pip install grpcio protobuf; a guest has none: --lab host",
        )


@contextlib.contextmanager
def open_grpc_client(daemon: Containerd, socket: str = "") -> Iterator[GrpcClient]:
    """A client of ``daemon``, or of what passes its calls on at ``socket``; it ends on leaving.

    Raises:
        UnsupportedError: this Python has no gRPC.
    """
    with _client_process(daemon.enclave.outside(socket or daemon.socket), KEPT) as process:
        yield GrpcClient(process, daemon)


@contextlib.contextmanager
def open_client_at(socket: Path, connections: str) -> Iterator[RpcClient]:
    """A client of whoever listens at ``socket``; it ends on leaving.

    Args:
        socket: as it is reached from here.
        connections: how it uses them, ``KEPT`` or ``ANEW``.

    Raises:
        UnsupportedError: this Python has no gRPC.
    """
    with _client_process(socket, connections) as process:
        yield RpcClient(process)


@contextlib.contextmanager
def _client_process(socket: Path, connections: str) -> Iterator[subprocess.Popen[str]]:
    require()
    argv = [sys.executable, "-m", "cnbench.rpc", str(socket), str(os.getpid()), connections]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", process_group=0,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
