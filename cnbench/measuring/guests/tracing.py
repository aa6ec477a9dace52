"""One case measured in a guest whose every instruction is counted by function.

The guest goes on from where the case was set up, as any other that counts it, with a plug-in that
writes down what ran between its readings of the clock. The plug-in changes nothing in the guest.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cnbench.core.codec import to_plain
from cnbench.core.errors import CnbenchError
from cnbench.core.run import CaseResult
from cnbench.core.venue import Venue
from cnbench.lab.guest import saved_setups, start
from cnbench.lab.guest.build.images import Progress
from cnbench.lab.guest.channel import Message
from cnbench.lab.guest.machine import Machine
from cnbench.lab.guest.qemu import Tracing
from cnbench.lab.guest.tracing.plugin import ensure_plugin
from cnbench.lab.own_folder import own_folder
from cnbench.measuring.events import BlockEnded, CaseEnded, GroupReady, WorkAdvanced
from cnbench.measuring.guests.counting import (
    GO_ON,
    MODULE,
    SILENCE_SECONDS,
    assignment_of,
    fresh_guest,
)
from cnbench.measuring.guests.entry import Assignment
from cnbench.measuring.guests.messages import event_from_plain
from cnbench.measuring.plan import Plan

# The first, and one more to see that they are alike.
TRACED_BLOCKS = 2
_SYMBOLS = "cnbench.lab.guest.tracing.symbols"


@dataclass(frozen=True)
class Traced:
    """What a traced guest told.

    Attributes:
        results: of the cases, in the order of the plan.
        release: the guest kernel's ``uname -r``.
        functions: a line of its /proc/kallsyms for each of its functions.
    """

    results: Sequence[CaseResult]
    release: str
    functions: str


def trace(plan: Plan, venue: Venue, out: IO[bytes], tell: Progress) -> Traced:
    """Measure the one group of ``plan``, and write what was executed to ``out``.

    Raises:
        GuestError: the guest did not start, or came to a bad end.
        UnsupportedError: it is not built, or QEMU or a C compiler is missing.
        CnbenchError: the case could not be set up.
    """
    plugin = ensure_plugin()
    start.ensure_built(venue.kernel, tell, venue.userland)
    with contextlib.ExitStack() as stack:
        state = stack.enter_context(_set_up(plan, venue, tell))
        tell("counting what each function executes")
        tracing = Tracing(plugin, out.fileno())
        machine = stack.enter_context(
            start.guest_as_saved(venue.kernel, state, venue.userland, tracing)
        )
        machine.channel.send(GO_ON)
        results = []
        for line in machine.hear(MODULE, SILENCE_SECONDS):
            event = event_from_plain(line)
            if isinstance(event, BlockEnded) and event.block + 1 == TRACED_BLOCKS:
                machine.stop_tracing()  # an hour would else be spent on what says the same again
            if isinstance(event, CaseEnded):
                results.append(event.result)
        (told,) = machine.run(_SYMBOLS)
        return Traced(results, machine.release, told["functions"])


@contextlib.contextmanager
def _set_up(plan: Plan, venue: Venue, tell: Progress) -> Iterator[Path]:
    """The state of a guest in which the group of ``plan`` is set up, made now where there is none.

    It is kept for whoever measures the case later, where there is room.
    """
    assignment, name = assignment_of(plan, venue)
    found = saved_setups.find(name)
    if found is not None:
        yield found.state
        return
    with own_folder() as folder:
        state = folder / "state"
        with fresh_guest(venue, tell) as machine:
            told = _told_until_ready(machine, assignment)
            if saved_setups.save(name, machine, told):
                state = saved_setups.place_of(name)
            else:
                machine.monitor.save(state)
        yield state


def _told_until_ready(machine: Machine, assignment: Assignment) -> list[Message]:
    """What a guest tells while it sets up.

    Raises:
        CnbenchError: a case could not be set up.
    """
    told: list[Message] = []
    for message in machine.run(MODULE, to_plain(assignment), silence=SILENCE_SECONDS):
        event = event_from_plain(message)
        if isinstance(event, CaseEnded) and event.result.status != "ok":
            raise CnbenchError(event.result.reason, event.result.remedy)
        if isinstance(event, GroupReady):
            if event.sound:
                return [*told, message]
            machine.channel.send(GO_ON)  # to hear why
        if not isinstance(event, WorkAdvanced):
            told.append(message)
    raise CnbenchError("the case could not be set up")
