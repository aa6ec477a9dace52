"""containerd in an enclave: its settings, the daemon, and the image in its store."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cnbench.containers import image
from cnbench.containers.enclave import Command, Enclave, Ran
from cnbench.core.errors import CnbenchError
from cnbench.lab import commands
from cnbench.lab.waiting import wait_until

# Where the plug-ins of the package containernetworking-plugins are.
CNI_PLUGINS = Path("/usr/lib/cni")
# containerd's namespaces: of our own containers, and of those that come over the CRI.
OWN, OF_THE_CRI = "cnbench", "k8s.io"
# The program that it keeps beside each container, or each pod.
SHIM = "containerd-shim-runc-v2"
_SOCKET = "/run/cnbench-containerd.sock"
_TASKS = "io.containerd.runtime.v2.task"


@dataclass(frozen=True)
class Containerd:
    """A daemon that answers. Use ``open_containerd``.

    Attributes:
        enclave: where it lives.
        socket: what it listens on, in the enclave.
        pid: its process, as the enclave numbers it.
    """

    enclave: Enclave
    socket: str
    pid: int

    def ctr(self, *arguments: str, namespace: str = OWN) -> Ran:
        """Run containerd's own command; raises CommandError."""
        return self.enclave.run(*self.command(*arguments, namespace=namespace).argv)

    def command(self, *arguments: str, namespace: str = OWN) -> Command:
        """Containerd's own command, for whoever runs it."""
        return Command(("ctr", "--address", self.socket, "-n", namespace, *arguments))

    def process(self, container: str, namespace: str = OWN) -> int:
        """The container's process as the enclave numbers it; raises CnbenchError if it has none."""
        bundle = f"/run/containerd/state/{_TASKS}/{namespace}/{container}"
        return int(self.enclave.do("read", f"{bundle}/init.pid"))

    def reached_by(self, socket: str) -> Containerd:
        """The same daemon by another socket, at which somebody passes calls on."""
        return replace(self, socket=socket)

    @contextlib.contextmanager
    def image_of(self, layers: int, snapshotter: str = "overlayfs") -> Iterator[None]:
        """Have the image of so many layers, laid out by ``snapshotter``; raises CommandError."""
        tar = self.enclave.folder / f"image-{layers}.tar"
        tar.write_bytes(image.image(layers).tar)
        for namespace in (OWN, OF_THE_CRI):
            self.ctr(
                "images", "import", "--snapshotter", snapshotter, str(tar), namespace=namespace
            )
        yield


@contextlib.contextmanager
def open_containerd(enclave: Enclave) -> Iterator[Containerd]:
    """A containerd in ``enclave`` that has the image; it ends with the enclave.

    Raises:
        UnsupportedError: containerd, or a tool that it needs, is not installed.
        CnbenchError: it does not answer; the message ends with what it logged last.
    """
    for tool in ("containerd", "ctr", "runc"):
        commands.require(tool)
    folder = enclave.folder / "containerd"
    folder.mkdir()
    log = folder / "log"
    settings = folder / "config.toml"
    settings.write_text(_settings(folder))
    argv = [commands.require("containerd"), "--config", str(settings)]
    daemon = Containerd(enclave, _SOCKET, enclave.do("serve", argv, str(log), {}))
    try:
        wait_until(lambda: _answers(daemon), "containerd does not answer", within=30, every=0.02)
    except CnbenchError as error:
        raise CnbenchError(f"{error}: {log.read_text()[-500:]}") from error
    with daemon.image_of(1):
        yield daemon


def _answers(daemon: Containerd) -> bool:
    try:
        daemon.ctr("version")
    except CnbenchError:
        return False
    return True


def _settings(folder: Path) -> str:
    """config.toml: all folders its own, and a network for pods that a bridge joins.

    oom_score_adj is left alone where CAP_SYS_RESOURCE is missing, as on many a CI machine.
    """
    networks = folder / "networks"
    networks.mkdir()
    (networks / "10-bridge.conflist").write_text(json.dumps(_network(folder)))
    return f"""version = 2
root = "/var/lib/containerd"
state = "/run/containerd/state"
oom_score = 0
[grpc]
  address = "{_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{image.name()}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{networks}"
"""


def _network(folder: Path) -> dict[str, object]:
    addresses = {
        "type": "host-local", "dataDir": str(folder / "addresses"),
        "ranges": [[{"subnet": "10.88.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}],
    }  # fmt: skip
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipam": addresses}
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]}
