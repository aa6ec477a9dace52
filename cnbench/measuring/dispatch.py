"""Carrying out a plan where each of its groups belongs."""

from __future__ import annotations

from dataclasses import replace

from cnbench.core.case import Group
from cnbench.core.errors import CnbenchError
from cnbench.experiments.registry import experiment_called
from cnbench.lab.host import open_lab
from cnbench.measuring import fingerprint
from cnbench.measuring.events import EnvironmentFound, Listener, Warned
from cnbench.measuring.in_guest import carry_out_in_guest
from cnbench.measuring.placing import Place
from cnbench.measuring.plan import Plan
from cnbench.measuring.session import carry_out


def measure(plan: Plan, listen: Listener) -> None:
    """Measure every group of ``plan``, telling ``listen`` everything as it happens.

    Groups of one place are measured together, the host's first and guests in the order in which
    the plan first names them: a guest then starts once.

    Raises:
        CnbenchError: a lab could not be opened; a case's own failure is its result.
        KeyboardInterrupt: the user stopped it; everything that was measured has been told.
    """
    by_place: dict[Place, list[Group]] = {}
    for group in plan.groups:
        by_place.setdefault(place_of(group), []).append(group)
    for place in sorted(by_place, key=lambda place: place.lab != "host"):
        part = _part(plan, tuple(by_place[place]))
        if place.lab == "guest":
            carry_out_in_guest(part, place, listen)
            continue
        _carry_out_here(part, listen)


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


def place_of(group: Group) -> Place:
    """Where all cases of ``group`` are measured."""
    first = group.cases[0]
    return Place(first.lab, first.clock, first.kernel)


def _part(plan: Plan, groups: tuple[Group, ...]) -> Plan:
    """``groups`` alone, with their share of the time."""
    share = len(groups) / len(plan.groups)
    return replace(plan, groups=groups, budget=plan.budget and plan.budget * share)
