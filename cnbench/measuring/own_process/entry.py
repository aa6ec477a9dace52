"""What runs in a set-up's own process: cases are opened, sampled and proven as they are asked for.

It ends with the connection: nobody else could ask it anything.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import traceback
from collections.abc import Mapping, Set
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

from cnbench.core.errors import CnbenchError
from cnbench.core.experiment import Subject
from cnbench.core.metric import ClockName
from cnbench.core.parameter import Params, Point
from cnbench.core.proof import Proof
from cnbench.experiments.registry import experiment_called
from cnbench.lab.host import Lab, open_lab
from cnbench.measuring import witness
from cnbench.measuring.rotation import InTurn


class SetUpsHere:
    """The set-ups that were opened in this process, by their numbers."""

    def __init__(self, lab: Lab, opened: contextlib.ExitStack) -> None:
        self._lab = lab
        self._opened = opened
        self._subjects: list[Subject] = []

    def open(self, experiment: str, params: Params, inputs: Mapping[str, str]) -> int:
        """Open a case, and give its number."""
        self._lab.inputs = inputs
        subject = experiment_called(experiment).subject(Point(params), self._lab)
        self._subjects.append(self._opened.enter_context(subject))
        return len(self._subjects) - 1

    def sample(self, number: int, processors: Set[int]) -> witness.Witnessed:
        """A sample on ``processors``, with what this thread and the machine did around it."""
        if os.sched_getaffinity(0) != processors:
            os.sched_setaffinity(0, processors)
        return witness.around(self._lab.timed, self._subjects[number].sample)

    def account(self, number: int) -> bool:
        """What the kernel's counters say, where a subject looks at them."""
        return self._one(number).account(0)

    def proof(self, number: int) -> Proof:
        """The proof of a set-up."""
        return self._subjects[number].proof()

    def capture(self, number: int) -> bytes | None:
        """The packets that a set-up has kept."""
        return self._one(number).capture()

    def _one(self, number: int) -> InTurn:
        return InTurn([self._subjects[number]])


def main(descriptor: str, lab_name: str, clock: str, journals: str) -> None:
    """Do what comes in on ``descriptor`` until that is closed."""
    with (
        open_lab(lab_name, cast(ClockName, clock), Path(journals)) as lab,
        contextlib.ExitStack() as opened,
        Connection(int(descriptor)) as asked,
        contextlib.suppress(EOFError, ConnectionError),
    ):
        opened.enter_context(lab.fresh_fixtures())
        here = SetUpsHere(lab, opened)
        while True:
            _answer(asked, here, lab)


def _answer(asked: Connection, here: SetUpsHere, lab: Lab) -> None:
    number, what, arguments = asked.recv()
    with lab.long_work.told_to(lambda said: asked.send((number, "goes on", said))):
        kind, given = _done(here, what, arguments)
    asked.send((number, kind, given))


def _done(here: SetUpsHere, what: str, arguments: tuple[Any, ...]) -> tuple[str, object]:
    try:
        return "gave", getattr(here, what)(*arguments)
    except Exception as error:
        return "raised", _that_can_be_sent(error)


def _that_can_be_sent(error: Exception) -> Exception:
    """``error``, or what it says: some cannot be made again from what they were made of."""
    if not isinstance(error, CnbenchError):
        error.add_note(traceback.format_exc())
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    except Exception:
        if isinstance(error, CnbenchError):
            return CnbenchError(str(error), error.remedy)
        return CnbenchError(f"{type(error).__name__}: {error}")
    return error
