"""Carrying out counted groups in several guests at once.

Where instructions are counted, other load does no harm. Each group has a guest of its own, gone on
from the same saved state, so that what it counts depends neither on how many run at once nor on
which groups were measured before it: the same number to within what one guest repeats itself by.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cnbench.core.case import Group
from cnbench.lab.guest import start
from cnbench.lab.guest.errors import GuestError
from cnbench.lab.workers import Killed, Worker, first_to_tell, worker
from cnbench.measuring.events import (
    CaseEnded,
    Event,
    GroupEnded,
    LabAdvanced,
    Listener,
    Warned,
)
from cnbench.measuring.guests.jobs import number_of_jobs, processors
from cnbench.measuring.guests.runs import carry_out_in_guest, failed
from cnbench.measuring.plan import Plan


def carry_out_counted(parts: Sequence[Plan], listen: Listener, asked: int | None) -> None:
    """Measure ``parts``, plans of one group each, in as many guests at once as ``asked``.

    None asks for as many as there are processors and memory for. ``listen`` is told what each
    guest says as it says it, in this process. A group whose guest came to a bad end is tried once
    more, and so is one whose worker did.

    Raises:
        GuestError: what a guest is made of could not be built.
        UnsupportedError: QEMU is not installed, or what builds.
        KeyboardInterrupt: the user stopped it; no guest is left running.
    """
    if not parts:
        return
    venues = (_only(part).venue for part in parts)
    for kernel, userland in dict.fromkeys((venue.kernel, venue.userland) for venue in venues):
        # Before there are workers, so that it is done once.
        start.ensure_built(kernel, lambda what: listen(LabAdvanced(what)), userland)
        start.check_digests(kernel, userland)
    jobs = min(number_of_jobs(asked), len(parts))
    if jobs == 1:
        for part in parts:
            carry_out_in_guest(part, _only(part).venue, _telling_the_group(part, listen))
        return
    with contextlib.closing(_Crew(jobs, listen)) as crew:
        crew.carry_out(parts)


@dataclass
class _Job:
    """A group that is measured by a worker."""

    part: Plan
    worker: Worker
    stack: contextlib.ExitStack


class _Crew:
    """Workers, each of which looks after one guest; closing it stops them."""

    def __init__(self, jobs: int, listen: Listener) -> None:
        self._listen = listen
        allowed = processors()
        self._idle = deque(allowed[n % len(allowed)] for n in range(jobs))
        self._jobs: list[_Job] = []
        self._tried_again: set[int] = set()
        self._told: set[str] = set()

    def carry_out(self, parts: Sequence[Plan]) -> None:
        """Measure all ``parts``, the first ones first."""
        waiting = deque(parts)
        while waiting or self._jobs:
            while waiting and self._idle:
                self._begin(waiting.popleft())
            ready = first_to_tell([job.worker for job in self._jobs])
            for job in [job for job in self._jobs if job.worker in ready]:
                waiting.extendleft(self._hear(job))

    def close(self) -> None:
        """Stop all that still run."""
        while self._jobs:
            self._end(self._jobs[-1])

    def _begin(self, part: Plan) -> None:
        stack = contextlib.ExitStack()
        processor = self._idle.popleft()
        begun = stack.enter_context(
            worker(lambda tell: carry_out_in_guest(part, _only(part).venue, tell), processor)
        )
        self._jobs.append(_Job(part, begun, stack))

    def _hear(self, job: _Job) -> Iterator[Plan]:
        """Pass on what a worker tells; gives the part that is to be measured once more."""
        try:
            event = job.worker.receive()
        except Killed as killed:
            self._end(job)
            yield from self._again(job.part, GuestError(str(killed), "look for what ended it"))
            return
        if event is None:
            self._end(job)
            return
        self._pass_on(job.part, event)

    def _pass_on(self, part: Plan, event: Event) -> None:
        if isinstance(event, CaseEnded):
            self._told.add(event.result.case.key)
        _telling_the_group(part, self._listen)(event)

    def _again(self, part: Plan, error: GuestError) -> Iterator[Plan]:
        group = _only(part)
        if group.number not in self._tried_again:
            self._tried_again.add(group.number)
            self._listen(Warned(f"{error}; trying {group.title} once more in a new guest"))
            yield part
            return
        for result in failed(group, error):
            if result.case.key not in self._told:
                self._listen(CaseEnded(result))
        self._listen(GroupEnded(group.number))

    def _end(self, job: _Job) -> None:
        self._jobs.remove(job)
        job.stack.close()
        self._idle.append(job.worker.processor)


def _only(part: Plan) -> Group:
    (group,) = part.groups
    return group


def _telling_the_group(part: Plan, listen: Listener) -> Listener:
    """``listen``, told of the lab which group it is made ready for."""

    def tell(event: Event) -> None:
        if isinstance(event, LabAdvanced):
            event = replace(event, group=_only(part).number)
        listen(event)

    return tell
