"""A server in an enclave: how it is started and known to answer, and what the kernel says of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnbench.containers.enclave import Enclave
from cnbench.core.errors import CnbenchError
from cnbench.lab.waiting import wait_until

# A server that compiles its regular expressions on a busy machine takes its time.
_PATIENCE = 120.0
_LAST_WORDS = 500
# proc_pid_clear_refs(5): set the peak of the resident set to what it is now.
_FORGET_PEAK = "5"


@dataclass(frozen=True)
class Daemon:
    """A server that runs.

    Attributes:
        name: of its program.
        pid: its process, as the enclave numbers it.
        log: what it writes about itself.
    """

    enclave: Enclave
    name: str
    pid: int
    log: Path

    def cpu_time(self) -> int:
        """CPU time of its threads so far, in ns."""
        return int(self.enclave.do("cpu_time_of", self.pid))

    def forget_peak(self) -> None:
        """Have ``peak_memory`` begin anew; raises CnbenchError where the server has ended."""
        self._write("clear_refs", _FORGET_PEAK)

    def peak_memory(self) -> int:
        """The most memory that it had resident since the peak was forgotten, in bytes.

        Raises:
            CnbenchError: the server has ended.
        """
        return self._status("VmHWM")

    def memory(self) -> int:
        """The memory that it has resident, in bytes; raises CnbenchError where it has ended."""
        return self._status("VmRSS")

    def file_system(self, path: str) -> str:
        """The type of the file system that ``path`` is on, as it is for the server.

        Raises:
            CnbenchError: the server has ended.
        """
        try:
            lines = self._file("mountinfo").read_text().splitlines()
        except OSError as error:
            raise self._ended() from error
        # proc_pid_mountinfo(5): the mount point is the fifth field, the type follows " - ".
        mounts = [(line.split()[4], line.partition(" - ")[2].split()[0]) for line in lines]
        found = [(point, kind) for point, kind in mounts if Path(path).is_relative_to(point)]
        return max(reversed(found), key=lambda one: len(one[0]))[1]  # the last is the topmost

    def last_words(self) -> str:
        """The end of what it wrote about itself."""
        return self.log.read_text(errors="replace")[-_LAST_WORDS:]

    def _status(self, line: str) -> int:
        try:
            text = self._file("status").read_text()
        except OSError as error:
            raise self._ended() from error
        found = re.search(rf"^{line}:\s+(\d+) kB$", text, re.MULTILINE)
        if not found:  # a zombie has none
            raise self._ended()
        return int(found[1]) * 1024

    def _write(self, name: str, text: str) -> None:
        try:
            self._file(name).write_text(text)
        except OSError as error:
            raise self._ended() from error

    def _file(self, name: str) -> Path:
        return self.enclave.outside(f"/proc/{self.pid}/{name}")

    def _ended(self) -> CnbenchError:
        return CnbenchError(f"{self.name} has ended: {self.last_words()}")


def start(
    enclave: Enclave,
    folder: Path,
    argv: Sequence[str],
    answers: Callable[[], bool],
    environment: Mapping[str, str] | None = None,
) -> Daemon:
    """Start a server, and wait until it answers; it ends with the enclave.

    Args:
        enclave: where it lives.
        folder: for its log.
        argv: its program and arguments.
        answers: whether it does; a CnbenchError is a no.
        environment: what it finds in its environment beside what is there.

    Raises:
        CnbenchError: it has ended, or does not answer; the message ends with what it logged last.
    """
    name = Path(argv[0]).name
    log = folder / f"{name}.log"
    pid = enclave.do("serve", list(argv), str(log), dict(environment or {}))
    daemon = Daemon(enclave, name, pid, log)

    def ready() -> bool:
        try:
            return answers()
        except CnbenchError:
            return False

    try:
        wait_until(
            ready, f"{name} does not answer", within=_PATIENCE, every=0.02, meanwhile=daemon.memory
        )
    except CnbenchError as error:
        raise CnbenchError(f"{error}: {daemon.last_words()}") from error
    return daemon
