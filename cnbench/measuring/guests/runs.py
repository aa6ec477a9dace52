"""Carrying out a plan in guests: booted, listened to, and replaced where one comes to a bad end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import replace

from cnbench.core import stopping
from cnbench.core.case import Group
from cnbench.core.codec import to_plain
from cnbench.core.run import CaseResult
from cnbench.core.venue import Venue
from cnbench.lab.guest import start
from cnbench.lab.guest.build.images import Progress
from cnbench.lab.guest.errors import GuestError
from cnbench.measuring.events import (
    CaseEnded,
    Event,
    GroupEnded,
    GroupStarted,
    LabAdvanced,
    Listener,
    Warned,
)
from cnbench.measuring.guests.counting import (
    MODULE,
    SILENCE_SECONDS,
    counting_guest,
    fresh_guest,
)
from cnbench.measuring.guests.entry import Assignment
from cnbench.measuring.guests.messages import event_from_plain
from cnbench.measuring.plan import Plan


def carry_out_in_guest(plan: Plan, venue: Venue, listen: Listener) -> None:
    """Measure all groups of ``plan`` in guests like ``venue``, telling ``listen`` as it goes.

    A group whose guest hangs, panics or runs out of memory is tried once more in a new one; the
    second time its cases have failed, with the guest's last words. The others go on.

    What a guest is made of is built before, where it is not there.

    Raises:
        GuestError: it could not be built.
        UnsupportedError: QEMU is not installed, or what builds.
    """

    def tell(what: str) -> None:
        listen(LabAdvanced(what))

    start.ensure_built(venue.kernel, tell, venue.userland)
    left = plan.groups
    tried_again: set[int] = set()
    while left:
        progress = _Progress(left, listen)
        part = replace(plan, groups=left, anew=plan.anew or bool(tried_again))
        try:
            with _guest(part, venue, tell) as messages:
                for event in messages:
                    progress.hear(event)
                    stopping.check()
            return
        except GuestError as error:
            group = progress.current
            if group.number in tried_again:
                progress.fail_current(error)
                left = progress.after_current
            else:
                # QEMU's emulation itself brings a healthy kernel down now and then.
                tried_again.add(group.number)
                listen(Warned(f"{error}; trying {group.title} once more in a new guest"))
                left = (group, *progress.after_current)


@contextlib.contextmanager
def _guest(plan: Plan, venue: Venue, tell: Progress) -> Iterator[Iterator[Event]]:
    """What a guest tells that carries out ``plan``: one group, where instructions are counted."""
    if venue.clock == "instructions":
        with counting_guest(plan, venue, tell) as events:
            yield events
        return
    assignment = Assignment(plan, venue, start.digest(venue.kernel, venue.userland))
    with fresh_guest(venue, tell) as machine:
        messages = machine.run(MODULE, to_plain(assignment), silence=SILENCE_SECONDS)
        yield map(event_from_plain, messages)


class _Progress:
    """Which group a guest is at, and which of its cases it has told."""

    def __init__(self, groups: tuple[Group, ...], listen: Listener) -> None:
        self._groups = groups
        self._listen = listen
        self._at = 0
        self._told: set[str] = set()

    def hear(self, event: Event) -> None:
        if isinstance(event, GroupStarted):
            numbers = [group.number for group in self._groups]
            self._at = numbers.index(event.number)
        elif isinstance(event, CaseEnded):
            self._told.add(event.result.case.key)
        self._listen(event)

    @property
    def current(self) -> Group:
        return self._groups[self._at]

    @property
    def after_current(self) -> tuple[Group, ...]:
        return self._groups[self._at + 1 :]

    def fail_current(self, error: GuestError) -> None:
        for result in failed(self.current, error):
            if result.case.key not in self._told:
                self._listen(CaseEnded(result))
        self._listen(GroupEnded(self.current.number))


def failed(group: Group, error: GuestError) -> Iterable[CaseResult]:
    """The results of a group whose guest came to a bad end."""
    for case in group.cases:
        yield CaseResult(
            case,
            group.number,
            "failed",
            str(error),
            error.remedy,
            stderr="\n".join(error.console),
        )
