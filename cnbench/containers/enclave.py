"""An enclave: namespaces of a run's own in which runtimes and their daemons live, and end with it.

Mounts, network, processes: all are the enclave's. What daemons write outside the folders that they
are given lands in memory (tmpfs over ``_OWN``), the cgroups that runtimes make are below the run's
folder in each hierarchy, which is in the journal, and no process survives the enclave's first.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnbench.containers import init
from cnbench.core.errors import CommandError
from cnbench.lab import commands
from cnbench.lab.conversation import Conversation
from cnbench.lab.host import Lab
from cnbench.lab.netns import NetworkNamespace
from cnbench.lab.processes import check_alive, python_script, running
from cnbench.lab.waiting import wait_until

# dockerd writes to /etc/docker, which it makes where it is not; it has its own flag for that.
_OWN = ("/run", "/var/lib", "/var/log")
_PATIENCE = 10.0
_RESERVED = 300
_UNSHARE = ("--mount", "--net", "--pid", "--fork", "--kill-child", "--propagation", "private")

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Command:
    """A command, what it has in its environment besides, and what it is given to read."""

    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    given: str = ""

    def asked(self) -> tuple[list[str], dict[str, str], str]:
        """As the enclave's first process takes it; raises UnsupportedError if there is none."""
        program = commands.require(self.argv[0])
        return [program, *self.argv[1:]], dict(self.environment), self.given


@dataclass(frozen=True)
class Ran:
    """A command that came to its end: when it began and ended (ns), and what it printed."""

    began: int
    ended: int
    output: str

    @property
    def took(self) -> int:
        """Nanoseconds from call to end."""
        return self.ended - self.began


@dataclass(frozen=True)
class PodNamespace:
    """A pod's network namespace: its name, its path in the enclave, and itself."""

    name: str
    path: str
    network: NetworkNamespace


@dataclass
class Enclave:
    """Use ``open_enclave``.

    Attributes:
        folder: of the enclave, seen at the same place inside and outside.
        groups: the run's folder in each hierarchy of cgroups that containers are put into.
        group: its name from each hierarchy's root.
        network: the enclave's network namespace.
        first: its first process, as numbered outside.
    """

    folder: Path
    groups: tuple[Path, ...]
    group: str
    network: NetworkNamespace
    first: int
    _conversation: Conversation

    def do(self, task: str, *arguments: object) -> Any:
        """What the enclave's first process says to a task of ``tasks.TASKS``.

        Raises:
            CnbenchError: it was refused, or the enclave has ended.
        """
        self._conversation.ask(task, *arguments)
        return self._conversation.answer(f"in the enclave, {task}: ")

    def run(self, *argv: str, environment: Mapping[str, str] | None = None, given: str = "") -> Ran:
        """Run a command in the enclave to its end, ``given`` on its standard input.

        Raises:
            UnsupportedError: there is no such command.
            CommandError: it exited with an error.
        """
        return _ran(argv, self.do("run", *Command(argv, environment or {}, given).asked()))

    def run_together(self, asked: Sequence[Command]) -> list[Ran]:
        """Begin all commands and run them to their ends beside each other; errors as ``run``."""
        said = self.do("run_together", [command.asked() for command in asked])
        return [_ran(command.argv, one) for command, one in zip(asked, said, strict=True)]

    def first_instruction(self, pid: int) -> int:
        """When the container's own program began to run, in ns of CLOCK_MONOTONIC.

        Raises:
            CnbenchError: it did not within ``_PATIENCE`` seconds, or is gone.
        """
        noted = [0]

        def runs() -> bool:
            noted[0] = self.do("first_instruction", pid)
            return noted[0] > 0

        wait_until(runs, "the container's program did not run", within=_PATIENCE, every=0.001)
        return noted[0]

    def last_number(self) -> int:
        """The number that a process or a thread was given last here."""
        return int(self.do("last_number"))

    def begun_since(self, number: int) -> int:
        """How many processes and threads were begun here since ``number`` was the last.

        The kernel gives numbers in their order, and after the last one (/proc/sys/kernel/pid_max)
        begins anew, but for the first 300 (kernel/pid.c: RESERVED_PIDS).
        """
        most = int(self.do("read", "/proc/sys/kernel/pid_max"))
        return (self.last_number() - number) % (most - _RESERVED)

    def outside(self, path: str) -> Path:
        """Where a path of the enclave is for who is outside of it.

        A daemon's socket goes to /run in the enclave and is reached by this: the address of a
        socket has 107 bytes at most (unix(7)), and the folder of a run may be deeper.
        """
        return Path(f"/proc/{self.first}/root{path}")

    def new_name(self) -> str:
        """A name for a container that no other of this run has, in whatever enclave."""
        return f"container-{next(_numbers)}"

    def groups_of(self, name: str) -> list[Path]:
        """The cgroup of the container ``name`` in each hierarchy."""
        return [folder / name for folder in self.groups]

    @contextlib.contextmanager
    def pod_namespace(self) -> Iterator[PodNamespace]:
        """A network namespace as a runtime makes it for a pod: by a path, for plug-ins to enter.

        Raises:
            CommandError: it cannot be made.
        """
        name = self.new_name()
        self.run("ip", "netns", "add", name)
        path = f"/run/netns/{name}"
        descriptor = os.open(self.outside(path), os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield PodNamespace(name, path, NetworkNamespace(name, descriptor, {}))
        finally:
            os.close(descriptor)
            self.run("ip", "netns", "delete", name)

    def close(self) -> None:
        """Forget what it might still say."""
        self._conversation.close()


@contextlib.contextmanager
def open_enclave(lab: Lab, *, grouped: bool = True) -> Iterator[Enclave]:
    """An enclave, whose processes are killed on leaving.

    Args:
        lab: where.
        grouped: whether it has groups for containers to be put into; servers alone need none.

    Raises:
        UnsupportedError: this user or this kernel cannot make the namespaces or the groups.
    """
    lab.require_namespaces()
    roots = lab.cgroup_folders() if grouped else ()
    folder = lab.temporary_folder()
    ours, theirs = socket.socketpair()
    # A guest lacks some of them, and is thrown away with whatever is written.
    own = [path for path in _OWN if lab.name != "guest" or Path(path).is_dir()]
    script = python_script(Path(init.__file__), str(theirs.fileno()), str(lab.folder), *own)
    with ours, theirs, running(["unshare", *_UNSHARE, *script], [theirs.fileno()]) as process:
        theirs.close()  # so that its end is seen here
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(_ended(_only_child(process)))
            descriptor = os.open(f"/proc/{first}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, descriptor)
            network = NetworkNamespace("enclave", descriptor, {})
            conversation = Conversation(ours, "the enclave's first process")
            group = f"/{roots[0].name}" if roots else ""
            enclave = Enclave(folder, roots, group, network, first, conversation)
            yield stack.enter_context(contextlib.closing(enclave))


@contextlib.contextmanager
def _ended(first: int) -> Iterator[int]:
    """Have the process ``first`` killed on leaving, and with it all of its namespace.

    It is gone only when they are, so nothing is written any more when their folders are removed.
    """
    descriptor = os.pidfd_open(first)
    try:
        yield first
    finally:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        select.select([descriptor], [], [], _PATIENCE)
        os.close(descriptor)


def _ran(argv: Sequence[str], said: Mapping[str, Any]) -> Ran:
    """What a command came to; raises CommandError if that is an error."""
    if said["code"] != 0:
        raise CommandError(list(argv), said["code"], said["error"] or said["output"])
    return Ran(said["began"], said["ended"], said["output"])


def _only_child(process: subprocess.Popen[str]) -> int:
    """The enclave's first process, as numbered outside; raises CnbenchError if there is none."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    found: list[str] = []

    def appeared() -> bool:
        found[:] = children.read_text().split()
        return bool(found)

    wait_until(
        appeared, "the enclave's first process did not start", within=_PATIENCE, every=0.001,
        meanwhile=lambda: check_alive(["unshare", *_UNSHARE], process),
    )  # fmt: skip
    return int(found[0])
