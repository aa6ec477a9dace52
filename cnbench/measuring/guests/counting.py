"""A guest that counts one group: set up now, or gone on from where one like it was set up before.

Once all is set up the guest waits for a line, and what it says until then is kept with its saved
state: whoever goes on from there has heard the same.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from cnbench.core.codec import to_plain
from cnbench.core.venue import Venue
from cnbench.experiments.registry import module_of, names
from cnbench.lab.guest import saved_setups, start
from cnbench.lab.guest.build.images import Progress
from cnbench.lab.guest.channel import Message
from cnbench.lab.guest.errors import GuestError
from cnbench.lab.guest.machine import Machine
from cnbench.measuring.events import Event, GroupReady, WentOn, WorkAdvanced
from cnbench.measuring.guests.entry import Assignment
from cnbench.measuring.guests.messages import event_from_plain, of_group
from cnbench.measuring.plan import Plan

MODULE = "cnbench.measuring.guests.entry"
# What it needs, kept in memory in a saved guest: importing that takes one some five seconds, and
# asking a dozen tools for their version one more. The tools are that guest's own and stay the same.
IMPORTS = (
    MODULE,
    "cnbench.measuring.fingerprint:tools",
    "pyroute2",
    *(module_of(name) for name in names()),
)
# What is long under emulation says how far it is; but a machine may be overrun, and a proof long.
SILENCE_SECONDS = 900
GO_ON: Message = {"go": "on"}


@contextlib.contextmanager
def counting_guest(plan: Plan, venue: Venue, tell: Progress) -> Iterator[Iterator[Event]]:
    """The events of the one group of ``plan``, as a guest at ``venue`` tells them.

    Raises:
        GuestError: the guest did not start; while events are taken, that it came to a bad end.
        UnsupportedError: it is not built, or QEMU is missing.
    """
    (group,) = plan.groups
    assignment, name = assignment_of(plan, venue)
    with contextlib.ExitStack() as stack:
        events = None if plan.anew else _gone_on(stack, venue, name, tell)
        if events is None:
            machine = stack.enter_context(fresh_guest(venue, tell))
            events = _Conversation(machine, assignment, "" if plan.anew else name, tell).events()
        yield (of_group(event, group.number) for event in events)


def fresh_guest(venue: Venue, tell: Progress) -> AbstractContextManager[Machine]:
    """A guest as ``venue`` has it, in which nothing has been set up; raises as ``start.guest``."""
    return start.guest(venue.kernel, venue.clock, tell, IMPORTS, venue.userland)


def assignment_of(plan: Plan, venue: Venue) -> tuple[Assignment, str]:
    """What a guest is told to measure the one group of ``plan``, and what its set-up is saved as.

    Raises:
        UnsupportedError: the guest is not built, or QEMU is missing.
    """
    (group,) = plan.groups
    # What a run calls its group does not go into what the guest is.
    alone = replace(plan, groups=(replace(group, number=0),), anew=False)
    assignment = Assignment(alone, venue, start.digest(venue.kernel, venue.userland), pauses=True)
    key = json.dumps(to_plain(assignment), sort_keys=True)
    return assignment, start.setup_name(venue.kernel, IMPORTS, key, venue.userland)


def _gone_on(
    stack: contextlib.ExitStack, venue: Venue, name: str, tell: Progress
) -> Iterator[Event] | None:
    """The events of a guest that was saved under ``name``; None where none is, or it is broken."""
    found = saved_setups.find(name)
    if found is None:
        return None
    try:
        machine = stack.enter_context(
            start.guest_as_saved(venue.kernel, found.state, venue.userland)
        )
    except FileNotFoundError:
        return None  # it has just made room
    except GuestError as error:
        tell(f"{error}; setting up anew")
        saved_setups.forget(name)
        return None
    machine.channel.send(GO_ON)
    goes_on = machine.hear(MODULE, SILENCE_SECONDS)
    told = map(event_from_plain, itertools.chain(found.told, goes_on))
    return itertools.chain([WentOn(0, found.saved)], told)


@dataclass
class _Conversation:
    """What is said with a guest that sets up now, and is saved as ``name`` when it has; if any."""

    machine: Machine
    assignment: Assignment
    name: str
    tell: Progress

    def events(self) -> Iterator[Event]:
        """All that the guest tells."""
        said: list[Message] = []
        for message in self.machine.run(MODULE, to_plain(self.assignment), silence=SILENCE_SECONDS):
            event = event_from_plain(message)
            if not isinstance(event, WorkAdvanced):
                said.append(message)
            yield event
            if isinstance(event, GroupReady):
                if event.sound and self.name:
                    self._save(said)
                said = []
                self.machine.channel.send(GO_ON)

    def _save(self, said: list[Message]) -> None:
        try:
            saved_setups.save(self.name, self.machine, said)
        except (GuestError, OSError) as error:
            # A guest that has died says so itself when it is listened to next.
            self.tell(f"its set-up was not saved: {error}")
