"""A session: a plan carried out in a lab, told to a listener as it goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from cnbench.core import stopping
from cnbench.core.case import Group
from cnbench.core.experiment import Experiment
from cnbench.lab.host import Lab
from cnbench.measuring.events import CaseEnded, GroupEnded, GroupStarted, Listener, Warned
from cnbench.measuring.plan import Plan
from cnbench.measuring.policy import Policy
from cnbench.measuring.sampler import GroupSampler, Outcome


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
    lab.inputs = plan.inputs
    spent = 0.0
    for position, group in enumerate(plan.groups):
        experiment = experiment_called(group.experiment)
        policy = plan.policy(position, spent, experiment.share)
        listen(_started(plan, group, policy))
        began = now()
        sampler = GroupSampler(experiment, lab, policy, now)
        outcome = sampler.run(group, listen)
        try:
            _tell(outcome, fingerprint, listen)
        except KeyboardInterrupt:
            # Listeners take a case that they are told twice as one.
            _tell(outcome, fingerprint, listen)
            outcome.interrupted = True
        for captured in outcome.captures:
            listen(captured)
        for warning in outcome.warnings:
            listen(Warned(warning))
        listen(GroupEnded(group.number))
        if outcome.interrupted:
            raise KeyboardInterrupt
        stopping.check()
        spent += now() - began


def _tell(outcome: Outcome, fingerprint: str, listen: Listener) -> None:
    for result in outcome.results:
        listen(CaseEnded(replace(result, fingerprint=fingerprint)))


def _started(plan: Plan, group: Group, policy: Policy) -> GroupStarted:
    return GroupStarted(
        group.number, group.experiment, plan.telling(group), policy.budget, policy.most_blocks
    )
