"""A namespace of a run's own in the user's cluster, which is removed whatever becomes of the run.

It is removed by a process that outlives this one: a child that waits for the end of a pipe. The
kernel closes that at any death of the run, `kill -9` included, and the child then deletes the
namespace with all that is in it. So there is one way to its removal, which every run takes.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
from collections.abc import Iterator

from cnbench.control_plane.given.cluster import GivenCluster
from cnbench.core.errors import CnbenchError
from cnbench.lab.waiting import wait_until

_PATH = "/api/v1/namespaces"
# Kubernetes' recommended label, by which a person finds what a dead machine has left.
_LABELS = {"app.kubernetes.io/managed-by": "cnbench"}
_GONE, _CONFLICT = 404, 409
_PATIENCE = 300.0
_DEAF_TO = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


@contextlib.contextmanager
def own_namespace(cluster: GivenCluster) -> Iterator[str]:
    """A new namespace's name; the namespace is gone on leaving.

    Raises:
        CnbenchError: the cluster refuses it, or its removal.
    """
    name = f"cnbench-{secrets.token_hex(6)}"
    reading, writing = os.pipe()
    keeper = os.fork()
    if not keeper:
        _keep(cluster, name, reading)
    os.close(reading)
    try:
        with cluster.client() as client:
            body = {"metadata": {"name": name, "labels": _LABELS}}
            client.demand("POST", _PATH, body)
        yield name
    finally:
        os.close(writing)
        _, status = os.waitpid(keeper, 0)
    if os.waitstatus_to_exitcode(status):
        raise CnbenchError(f"the namespace {name} was not removed; kubectl delete namespace {name}")


def _keep(cluster: GivenCluster, name: str, reading: int) -> None:
    """Wait for the end of the run, and remove its namespace; does not return."""
    code = 1
    try:
        os.setsid()
        for number in _DEAF_TO:
            signal.signal(number, signal.SIG_IGN)
        # What the run holds ends with the run: its journal's lock, its enclaves, this pipe.
        os.closerange(3, reading)
        os.closerange(reading + 1, os.sysconf("SC_OPEN_MAX"))
        os.read(reading, 1)
        remove(cluster, name)
        code = 0
    finally:
        os._exit(code)


def remove(cluster: GivenCluster, name: str) -> None:
    """Delete a namespace, and wait until it is gone.

    Raises:
        CnbenchError: the cluster refuses, or takes too long.
    """
    with cluster.client() as client:
        path = f"{_PATH}/{name}"
        reply = client.ask("DELETE", path)
        if reply.status not in (_GONE, _CONFLICT):
            reply.demanded(f"DELETE {path}")
        wait_until(
            lambda: client.ask("GET", path).status == _GONE, f"the namespace {name} is still there",
            within=_PATIENCE, every=0.2,
        )  # fmt: skip
