"""A session: a plan carried out in a lab, told to a listener as it goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from cnbench.core.case import Group
from cnbench.core.experiment import Experiment
from cnbench.lab.host import Lab
from cnbench.measure.events import BlockEnded, CaseEnded, GroupStarted, Listener, Warned
from cnbench.measure.plan import Plan
from cnbench.measure.sampler import GroupSampler


def carry_out(
    plan: Plan,
    experiment_called: Callable[[str], Experiment],
    lab: Lab,
    fingerprint: str,
    listen: Listener,
    now: Callable[[], float] = time.monotonic,
) -> None:
    """Measure all groups of ``plan``; every result carries the digest ``fingerprint``.

    Raises:
        KeyboardInterrupt: the user stopped it; the interrupted group's results have been told.
    """
    spent = 0.0
    for position, group in enumerate(plan.groups):
        number = plan.first_number + position
        policy = plan.policy(position, spent)
        listen(GroupStarted(position, len(plan.groups), title(group), policy.budget))
        began = now()

        def block_ended(block: int, gone: float, reached: float, position: int = position) -> None:
            listen(BlockEnded(position, block, gone, reached))

        sampler = GroupSampler(experiment_called(group.reference.experiment), lab, policy, now)
        outcome = sampler.run(number, group, block_ended)
        for result in outcome.results:
            listen(CaseEnded(replace(result, fingerprint=fingerprint)))
        if outcome.left_behind:
            listen(Warned(outcome.left_behind))
        if outcome.interrupted:
            raise KeyboardInterrupt
        spent += now() - began


def title(group: Group) -> str:
    """A group in a few words: the experiment, and the parameters that all its cases share."""
    first = group.reference.params
    shared = [
        f"{name}={value}"
        for name, value in first.items()
        if all(case.params[name] == value for case in group.cases)
    ]
    return " ".join([group.reference.experiment, *shared])
