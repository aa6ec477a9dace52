"""What one kernel answered to one question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cnbench.behaviours.behaviour import ABSENT, Behaviour, Probe, prepare
from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.lab.host import Lab

Status = Literal["ok", "unsupported", "failed"]

_IN_GUESTS_ALONE = "it would change this machine, so it is asked in guests alone"


@dataclass(frozen=True)
class Observation:
    """An answer, or why there is none.

    Attributes:
        behaviour: its name.
        status: ``ok``; ``unsupported`` where this machine cannot be asked; or ``failed``.
        answer: what the kernel did; empty where there is none.
        reason: why there is none.
        controls: what it did with one thing changed; empty where that was not asked.
    """

    behaviour: str
    status: Status
    answer: str = ""
    reason: str = ""
    controls: tuple[str, ...] = ()

    @property
    def control_differs(self) -> bool:
        """Whether the probe was seen to answer otherwise; what a kernel has not, it cannot show."""
        return self.answer.startswith(ABSENT) or any(
            otherwise != self.answer for otherwise in self.controls
        )


def observe(behaviour: Behaviour, lab: Lab, controls: bool = False) -> Observation:
    """Ask the kernel; with ``controls``, then once more for each thing changed."""
    try:
        if behaviour.changes_machine and lab.name == "host":
            raise UnsupportedError(_IN_GUESTS_ALONE, "--kernels trixie")
        prepare(behaviour, lab)
        answer = _ask(behaviour.probe, lab)
        asked = behaviour.controls if controls else ()
        otherwise = tuple(_ask(control, lab) for control in asked)
    except UnsupportedError as error:
        return Observation(behaviour.name, "unsupported", reason=str(error))
    except (CnbenchError, OSError) as error:
        return Observation(behaviour.name, "failed", reason=f"{type(error).__name__}: {error}")
    return Observation(behaviour.name, "ok", answer, controls=otherwise)


def _ask(probe: Probe, lab: Lab) -> str:
    with lab.fresh_fixtures():
        return probe(lab)
