"""One container after another by each way to start one, with the time of every step.

All are asked for the same bundle: the kernel calls alone, the two OCI runtimes, and containerd by
its own command. (``pods`` does the same over the CRI, which has words of its own.)
"""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cnbench.containers import bundle, image
from cnbench.containers.bundle import Wanted
from cnbench.containers.containerd import Containerd
from cnbench.containers.enclave import Command, Enclave, Ran

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


class Together(OfOneBundle, abc.ABC):
    """Runtimes that can be asked for several containers at once, step by step."""

    @abc.abstractmethod
    def start_together(self, count: int) -> list[Started]:
        """Start so many containers beside each other; raises CnbenchError."""

    def start(self) -> Started:
        """Start another container; raises CnbenchError."""
        return self.start_together(1)[0]


@dataclass(frozen=True)
class Bare(OfOneBundle):
    """The kernel calls alone."""

    enclave: Enclave

    def start(self) -> Started:
        """Begin a process as the bundle has it."""
        name = self.enclave.new_name()
        number = self.enclave.do("prepare_bare", self._asked(name))
        said = self.enclave.do("start_bare", number)
        return Started(name, said["pid"], said["began"], {})

    def system_calls(self) -> int:
        """How many calls its recipe has."""
        return int(self.enclave.do("count_bare", self._asked(self.enclave.new_name())))

    def _asked(self, name: str) -> dict[str, Any]:
        return {
            "root": str(self.files.root), "extra": str(self.files.extra),
            "groups": [str(group) for group in self.enclave.groups_of(name)],
            "wanted": dataclasses.asdict(self.wanted),
        }  # fmt: skip

    def state(self, started: Started) -> str:
        """What the kernel says: there is nobody else."""
        return "running" if self.enclave.do("first_instruction", started.pid) else "not running"

    def stop(self, started: Started) -> int:
        """Kill the process and remove its groups."""
        groups = [str(group) for group in self.enclave.groups_of(started.name)]
        said = self.enclave.do("end_bare", started.pid, groups)
        return int(said["ended"] - said["began"])


@dataclass(frozen=True)
class Oci(Together):
    """runc or crun, by the three commands of the runtime specification."""

    enclave: Enclave
    command: str
    state_folder: str = _STATE

    def bundle(self, name: str) -> Path:
        """The folder of a bundle for a container called ``name``."""
        return _bundle(self.enclave, self.files, self.wanted, name)

    def start_together(self, count: int) -> list[Started]:
        """Create containers, each from a bundle of its own, and start them."""
        names = [self.enclave.new_name() for _ in range(count)]
        folders = [self.bundle(name) for name in names]
        created = self._run(
            ("create", "--bundle", str(folder), "--pid-file", str(folder / "pid"), name)
            for name, folder in zip(names, folders, strict=True)
        )
        launched = self._run(("start", name) for name in names)
        return [
            Started(
                name, int((folder / "pid").read_text()), create.began,
                {"create": create.took, "launch": launch.took},
            )
            for name, folder, create, launch in zip(names, folders, created, launched, strict=True)
        ]  # fmt: skip

    def state(self, started: Started) -> str:
        """The state that the specification defines."""
        (ran,) = self._run([("state", started.name)])
        return str(json.loads(ran.output)["status"])

    def stop(self, started: Started) -> int:
        """Have it killed and deleted."""
        return self.delete(started.name)

    def delete(self, name: str) -> int:
        """Have the container ``name`` killed and deleted: the time of that in ns."""
        (ran,) = self._run([("delete", "--force", name)])
        return ran.took

    def _run(self, asked: Iterable[Sequence[str]]) -> list[Ran]:
        always = (self.command, "--root", self.state_folder)
        return self.enclave.run_together([Command((*always, *each)) for each in asked])


@dataclass(frozen=True)
class Ctr(Together):
    """containerd by its own command, which takes the same bundle."""

    daemon: Containerd

    def start_together(self, count: int) -> list[Started]:
        """Run containers that go on when the command has ended."""
        enclave = self.daemon.enclave
        names = [enclave.new_name() for _ in range(count)]
        folders = [_bundle(enclave, self.files, self.wanted, name) for name in names]
        ran = enclave.run_together(
            [
                self.daemon.command(
                    "run", "--detach", "--config", str(folder / "config.json"), name
                )
                for name, folder in zip(names, folders, strict=True)
            ]
        )
        return [
            Started(name, self.daemon.process(name), each.began, {"launch": each.took})
            for name, each in zip(names, ran, strict=True)
        ]

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
