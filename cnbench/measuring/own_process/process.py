"""A process that opens set-ups, and whose subjects are asked from here as any other.

Where a loader puts a program, and what its hashes are seeded with, is drawn once a process and
decides a little of what all of its code costs: of a scheduler's questions 0.5 to 1.9 %, for as long
as the process lives (see `scheduler_scoring.grid`). Set-ups in one process share that, so neither
they nor the repeats of one run would tell. pyperf measures in several processes for this reason.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import IO, Any

from cnbench.core import stopping
from cnbench.core.case import Case
from cnbench.core.errors import CnbenchError
from cnbench.core.proof import Proof
from cnbench.lab import journal, processes
from cnbench.lab.host import Lab
from cnbench.measuring.witness import Witnessed

# It finds modules where this one does: a guest's agent has cnbench in places of its own. (With -P
# not even json in the folder in which the user happens to be.)
_BEGIN = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from cnbench.measuring.own_process import entry; entry.main(*sys.argv[2:])"
)
# For leaving what the set-ups are in; a process that takes longer is killed.
_SECONDS_TO_CLOSE = 30
_MEMORY = "if the kernel did it for want of memory, `dmesg` says so: free some, or ask for less"


class OwnProcess:
    """A process with set-ups of several cases, which share its fixtures; use ``own_process``.

    Attributes:
        number: the process's.
    """

    def __init__(
        self, process: subprocess.Popen[str], asked: Connection, errors: IO[bytes], lab: Lab
    ) -> None:
        self.number = process.pid
        self._process = process
        self._asked = asked
        self._errors = errors
        self._lab = lab
        self._asks = 0

    def open(self, case: Case) -> Apart:
        """Begin to set ``case`` up there; it is taken down with the process."""
        self.begin("open", case.experiment, dict(case.params), self._lab.inputs)
        return Apart(self)

    def ask(self, what: str, *arguments: object) -> Any:
        """Have the process do ``what``, and give its answer; errors as for `answer`."""
        self.begin(what, *arguments)
        return self.answer()

    def begin(self, what: str, *arguments: object) -> None:
        """Have the process begin to do ``what``; the answer to that alone can be waited for."""
        self._asks += 1
        with self._there(), stopping.held():
            self._asked.send((self._asks, what, arguments))

    def answer(self) -> Any:
        """What it answers to what it was last asked; long work is told meanwhile.

        Raises:
            Exception: whatever was raised there.
            CnbenchError: the process has ended.
        """
        while True:
            with self._there():
                number, kind, what = self._received()
            if number != self._asks:
                continue  # an answer that nobody waited for: the user stopped it
            if kind == "raised":
                raise what
            if kind == "gave":
                return what
            self._lab.long_work.pass_on(what)

    def _received(self) -> tuple[int, str, Any]:
        # A stop cuts waiting short, never a message: its rest would be taken for the next one.
        self._asked.poll(None)
        with stopping.held():
            received: tuple[int, str, Any] = self._asked.recv()
            return received

    def close(self) -> None:
        """Have everything taken down there, and the process end.

        Raises:
            CnbenchError: something could not be taken down, or the process had ended before.
        """
        self._asked.close()
        if self._status():
            raise self._bad_end()

    @contextlib.contextmanager
    def _there(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, ConnectionError):
            raise self._bad_end() from None

    def _bad_end(self) -> CnbenchError:
        status = self._status()
        if status < 0:
            said = f"the process of a set-up was killed by signal {-status}"
            return CnbenchError(said, _MEMORY if status == -signal.SIGKILL else "")
        return CnbenchError(f"the process of a set-up ended with {status}: {self._last_words}")

    def _status(self) -> int:
        """What it ended with; it is about to, since the connection is closed."""
        try:
            return self._process.wait(_SECONDS_TO_CLOSE)
        except subprocess.TimeoutExpired:
            raise CnbenchError(
                f"the process of a set-up did not end in {_SECONDS_TO_CLOSE} s"
            ) from None

    @property
    def _last_words(self) -> str:
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").split("\n")
        return next(filter(None, map(str.strip, reversed(said))), "it said nothing on stderr")


class Apart:
    """A subject in another process; a `Subject`, and whatever else that one is.

    It is being set up while others are in theirs, until it is first asked for anything.
    """

    def __init__(self, process: OwnProcess) -> None:
        self._process = process
        self._number: int | None = None

    def opened(self) -> None:
        """Wait until it is set up; raises whatever keeps it from that."""
        if self._number is None:
            self._number = self._process.answer()

    def sample(self) -> Mapping[str, float]:
        """One observation, without what else happened meanwhile."""
        return self.witnessed().values

    def witnessed(self) -> Witnessed:
        """One observation, with the readings of the thread that made it.

        It is made on the processors that this process may use now.
        """
        taken: Witnessed = self._ask("sample", os.sched_getaffinity(0))
        return taken

    def account(self) -> bool:
        """See ``Accounts``; True where the subject has no accounts."""
        return bool(self._ask("account"))

    def proof(self) -> Proof:
        """The subject's own."""
        given: Proof = self._ask("proof")
        return given

    def capture(self) -> bytes | None:
        """The packets that the subject has kept; None where it keeps none."""
        given: bytes | None = self._ask("capture")
        return given

    def _ask(self, what: str, *arguments: object) -> Any:
        self.opened()
        return self._process.ask(what, self._number, *arguments)


@contextlib.contextmanager
def own_process(lab: Lab) -> Iterator[OwnProcess]:
    """A process with a lab like ``lab``, which is taken down on leaving."""
    ours, theirs = Pipe()
    journals = lab.journal.path.parent
    argv = [sys.executable, "-P", "-c", _BEGIN, json.dumps(sys.path), str(theirs.fileno()),
            lab.name, lab.clock.name, str(journals)]  # fmt: skip
    process = None
    try:
        with (
            # Of a pipe that nobody reads it would wait to write more than 64 KiB.
            tempfile.TemporaryFile(dir=lab.folder) as errors,
            processes.running(argv, (theirs.fileno(),), errors) as process,
        ):
            theirs.close()
            with contextlib.closing(OwnProcess(process, ours, errors, lab)) as opened:
                yield opened
    finally:
        if process is not None and process.returncode:
            journal.collect(journals)  # it did not come to take its lab down
