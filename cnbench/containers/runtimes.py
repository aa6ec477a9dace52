"""One container after another by each way to start one, with the time of every step.

All are asked for the same bundle: the kernel calls alone, the two OCI runtimes, and containerd by
its own command. (``pods`` does the same over the CRI, which has words of its own.)
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cnbench.containers import bundle, image
from cnbench.containers.bundle import Wanted
from cnbench.containers.containerd import Containerd
from cnbench.containers.enclave import Enclave

# Where the OCI runtimes keep their state.
_STATE = "/run/cnbench"


@dataclass(frozen=True)
class Started:
    """A container that was started.

    Attributes:
        name: what its runtime knows it by, and its cgroup is called.
        pid: its own process, as the enclave numbers it.
        began: when the first call for it was made, in ns of CLOCK_MONOTONIC.
        steps: the time of each call for it, in ns.
        within: what its runtime knows its pod by; empty where there is none.
    """

    name: str
    pid: int
    began: int
    steps: Mapping[str, int]
    within: str = ""


class Runtime(Protocol):
    """A way to start containers and to stop them."""

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The kinds of namespaces that a container of it has of its own."""

    def start(self) -> Started:
        """Start another container.

        Raises:
            CnbenchError: it was refused; the message says by whom and why.
        """

    def state(self, started: Started) -> str:
        """What the runtime says about it, ``running`` if that; raises CnbenchError."""

    def stop(self, started: Started) -> int:
        """Kill it, and have nothing left of it: the time of that in ns; raises CnbenchError."""


@dataclass(frozen=True)
class Files:
    """The image's files, unpacked, and an empty folder to mount."""

    root: Path
    extra: Path


@contextlib.contextmanager
def open_files(enclave: Enclave) -> Iterator[Files]:
    """The image unpacked in a folder of the enclave.

    Raises:
        UnsupportedError: Debian's busybox-static is not installed.
    """
    files = Files(enclave.folder / "root", enclave.folder / "extra")
    image.unpack(files.root)
    files.extra.mkdir()
    yield files


@dataclass(frozen=True)
class OfOneBundle:
    """What runtimes have in common that are asked for containers of one bundle."""

    files: Files
    wanted: Wanted

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Those that the bundle asks for."""
        return self.wanted.namespaces


@dataclass(frozen=True)
class Bare(OfOneBundle):
    """The kernel calls alone."""

    enclave: Enclave

    def start(self) -> Started:
        """Begin a process as the bundle has it."""
        name = self.enclave.new_name()
        asked = {
            "root": str(self.files.root), "extra": str(self.files.extra),
            "groups": [str(group) for group in self.enclave.groups_of(name)],
            "wanted": dataclasses.asdict(self.wanted),
        }  # fmt: skip
        number = self.enclave.do("prepare_bare", asked)
        said = self.enclave.do("start_bare", number)
        return Started(name, said["pid"], said["began"], {})

    def state(self, started: Started) -> str:
        """What the kernel says: there is nobody else."""
        return "running" if self.enclave.do("first_instruction", started.pid) else "not running"

    def stop(self, started: Started) -> int:
        """Kill the process and remove its groups."""
        groups = [str(group) for group in self.enclave.groups_of(started.name)]
        said = self.enclave.do("end_bare", started.pid, groups)
        return int(said["ended"] - said["began"])


@dataclass(frozen=True)
class Oci(OfOneBundle):
    """runc or crun, by the three commands of the runtime specification."""

    enclave: Enclave
    command: str

    def _run(self, *arguments: str) -> tuple[int, int, str]:
        ran = self.enclave.run(self.command, "--root", _STATE, *arguments)
        return ran.began, ran.took, ran.output

    def start(self) -> Started:
        """Create a container from a bundle of its own, and start it."""
        name = self.enclave.new_name()
        folder = _bundle(self.enclave, self.files, self.wanted, name)
        number = folder / "pid"
        began, create, _ = self._run(
            "create", "--bundle", str(folder), "--pid-file", str(number), name
        )
        _, launch, _ = self._run("start", name)
        steps = {"create": create, "launch": launch}
        return Started(name, int(number.read_text()), began, steps)

    def state(self, started: Started) -> str:
        """The state that the specification defines."""
        return str(json.loads(self._run("state", started.name)[2])["status"])

    def stop(self, started: Started) -> int:
        """Have it killed and deleted."""
        return self._run("delete", "--force", started.name)[1]


@dataclass(frozen=True)
class Ctr(OfOneBundle):
    """containerd by its own command, which takes the same bundle."""

    daemon: Containerd

    def start(self) -> Started:
        """Run a container that goes on when the command has ended."""
        enclave, name = self.daemon.enclave, self.daemon.enclave.new_name()
        folder = _bundle(enclave, self.files, self.wanted, name)
        ran = self.daemon.ctr("run", "--detach", "--config", str(folder / "config.json"), name)
        return Started(name, self.daemon.process(name), ran.began, {"launch": ran.took})

    def state(self, started: Started) -> str:
        """The state of its task."""
        rows = (line.split() for line in self.daemon.ctr("tasks", "ls").output.splitlines())
        states = {row[0]: row[-1].lower() for row in rows}
        return states.get(started.name, "unknown")

    def stop(self, started: Started) -> int:
        """Have its task killed and removed, and then what is kept of the container."""
        task = self.daemon.ctr("tasks", "rm", "--force", started.name)
        kept = self.daemon.ctr("containers", "rm", started.name)
        return kept.ended - task.began


def _bundle(enclave: Enclave, files: Files, wanted: Wanted, name: str) -> Path:
    folder = enclave.folder / name
    contents = bundle.specification(wanted, files.root, f"{enclave.group}/{name}", files.extra)
    bundle.write(folder, contents)
    return folder
