"""Carrying out a plan where each of its groups belongs."""

from __future__ import annotations

from cnbench.core.errors import CnbenchError
from cnbench.experiments.registry import experiment_called
from cnbench.lab.host import open_lab
from cnbench.measure import fingerprint
from cnbench.measure.events import EnvironmentFound, Listener, Warned
from cnbench.measure.plan import Plan
from cnbench.measure.session import carry_out


def measure(plan: Plan, listen: Listener) -> None:
    """Measure every group of ``plan``, telling ``listen`` everything as it happens.

    Raises:
        CnbenchError: the lab itself could not be opened; a case's own failure is its result.
        KeyboardInterrupt: the user stopped it; everything that was measured has been told.
    """
    if not plan.groups:
        return
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
        listen(Warned(f"{error}; `cnbench gc` will try again"))
