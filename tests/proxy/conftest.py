"""Three namespaces in a row: a client, a node that routes, and a backend."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

CLIENT = "10.200.0.2"
BACKEND = "10.200.1.2"
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class HeldNamespace:
    """A network namespace that lives as long as a process of ours."""

    def __init__(self, holder: subprocess.Popen[bytes]) -> None:
        self.pid = holder.pid
        self.path = f"/proc/{holder.pid}/ns/net"

    def run(self, argv, input=None, check=True, timeout=7200):
        done = subprocess.run(
            ["nsenter", f"--net={self.path}", *argv],
            input=input if input is None or isinstance(input, str) else "".join(input),
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(argv)}: {done.stderr}")
        return done

    @contextmanager
    def entered(self):
        with Path("/proc/thread-self/ns/net").open() as home, Path(self.path).open() as there:
            self._switch(there.fileno())
            try:
                yield
            finally:
                self._switch(home.fileno())

    @staticmethod
    def _switch(descriptor):
        if _libc.setns(descriptor, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


@contextmanager
def held_namespace():
    holder = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "echo; exec sleep 600"], stdout=subprocess.PIPE
    )
    try:
        holder.stdout.readline()
        yield HeldNamespace(holder)
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        holder.stdout.close()


@dataclass(frozen=True)
class Row:
    client: HeldNamespace
    node: HeldNamespace
    backend: HeldNamespace

    def connect(self, address, port):
        """Connect from the client; the kernel of the backend answers without an accept."""
        with self.client.entered(), closing(socket.create_connection((address, port), 2)):
            pass

    @contextmanager
    def listening(self, port):
        with self.backend.entered():
            server = socket.create_server((BACKEND, port), backlog=64)
        with closing(server):
            yield


def require(*commands):
    if os.geteuid() != 0:
        pytest.skip("needs root to make network namespaces")
    for command in commands:
        if not shutil.which(command):
            pytest.skip(f"needs {command}")


def _join(node, outer, name, gateway, address):
    node.run(["ip", "link", "add", name, "type", "veth", "peer", "eth0", "netns", str(outer.pid)])
    node.run(["ip", "addr", "add", f"{gateway}/24", "dev", name])
    node.run(["ip", "link", "set", name, "up"])
    outer.run(["ip", "addr", "add", f"{address}/24", "dev", "eth0"])
    outer.run(["ip", "link", "set", "eth0", "up"])
    outer.run(["ip", "link", "set", "lo", "up"])
    outer.run(["ip", "route", "add", "default", "via", gateway])


@pytest.fixture
def row():
    require("ip", "nsenter", "unshare")
    with ExitStack() as stack:
        client, node, backend = (stack.enter_context(held_namespace()) for _ in range(3))
        node.run(["ip", "link", "set", "lo", "up"])
        node.run(["sysctl", "-qw", "net.ipv4.ip_forward=1"])
        _join(node, client, "client", "10.200.0.1", CLIENT)
        _join(node, backend, "backend", "10.200.1.1", BACKEND)
        # Every real node has a default route; a rejection is sent from the forward hook, behind it.
        node.run(["ip", "route", "add", "default", "via", BACKEND])
        yield Row(client, node, backend)


@pytest.fixture
def lone_namespace():
    require("nsenter", "unshare")
    with held_namespace() as namespace:
        yield namespace
