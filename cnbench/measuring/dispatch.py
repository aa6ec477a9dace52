"""Carrying out a plan where each of its groups belongs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cnbench.core.case import Group
from cnbench.core.errors import CnbenchError
from cnbench.core.venue import HOST, Venue
from cnbench.experiments.registry import experiment_called
from cnbench.lab.host import open_lab
from cnbench.measuring import fingerprint
from cnbench.measuring.events import EnvironmentFound, Event, GroupStarted, Listener, Warned
from cnbench.measuring.guests.at_once import carry_out_counted
from cnbench.measuring.guests.runs import carry_out_in_guest
from cnbench.measuring.plan import Plan
from cnbench.measuring.session import carry_out


def measure(plan: Plan, listen: Listener, jobs: int | None = None) -> None:
    """Measure every group of ``plan``, telling ``listen`` everything as it happens.

    Groups of one venue are measured together, the host's first and guests in the order in which
    the plan first names them: a guest then starts once. Where instructions are counted, each group
    has a guest of its own, and ``jobs`` of them run at once: None takes as many as there are
    processors and memory for. Nothing runs beside what is measured on the wall clock.

    Where the host measures a part, guests that cannot be had are a warning.

    Raises:
        CnbenchError: a lab could not be opened; a case's own failure is its result.
        KeyboardInterrupt: the user stopped it; everything that was measured has been told.
    """
    listen = knowing(plan, listen)
    by_venue: dict[Venue, list[Group]] = {}
    for group in plan.groups:
        by_venue.setdefault(group.venue, []).append(group)
    if HOST in by_venue:
        _carry_out_here(part_of(plan, by_venue[HOST]), listen)
    counted = [venue for venue in by_venue if venue.clock == "instructions"]
    timed = [venue for venue in by_venue if venue not in (HOST, *counted)]
    try:
        for venue in timed:
            carry_out_in_guest(part_of(plan, by_venue[venue]), venue, listen)
        parts = [part_of(plan, [group]) for venue in counted for group in by_venue[venue]]
        carry_out_counted(parts, listen, jobs)
    except CnbenchError as error:
        if HOST not in by_venue:
            raise
        listen(Warned(f"{error}; what the host cannot do is left out ({error.remedy})"))


def _carry_out_here(plan: Plan, listen: Listener) -> None:
    measured = False
    try:
        with open_lab("host", "wall") as lab:
            environment = fingerprint.take(lab)
            listen(EnvironmentFound(environment))
            carry_out(plan, experiment_called, lab, environment.digest, listen)
            measured = True
    except CnbenchError as error:
        if not measured:
            raise
        # What was measured has been told; what could not be removed stays in the journal.
        listen(Warned(f"{error}; `cnbench gc` will try again"))


def part_of(plan: Plan, groups: Sequence[Group]) -> Plan:
    """``groups`` alone, with their share of the time."""
    share = len(groups) / len(plan.groups)
    return replace(plan, groups=tuple(groups), budget=plan.budget and plan.budget * share)


def knowing(plan: Plan, listen: Listener) -> Listener:
    """``listen``, told of a group what tells it from all others of ``plan``, not of its part."""
    groups = {group.number: group for group in plan.groups}
    kernels = {group.venue.kernel for group in plan.groups if group.venue != HOST}

    def tell(event: Event) -> None:
        if isinstance(event, GroupStarted):
            group = groups[event.number]
            kernel = group.venue.kernel if len(kernels) > 1 else ""
            event = replace(event, params=plan.telling(group), kernel=kernel)
        listen(event)

    return tell
