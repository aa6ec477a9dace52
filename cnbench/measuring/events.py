"""What happens during a measurement, as it is told to whoever listens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cnbench.core.case import Case
from cnbench.core.fingerprint import Fingerprint
from cnbench.core.parameter import Value
from cnbench.core.run import CaseResult


@dataclass(frozen=True)
class EnvironmentFound:
    """The environment that the next cases are measured in."""

    fingerprint: Fingerprint


@dataclass(frozen=True)
class LabAdvanced:
    """A lab is being made ready, which takes a while: ``what`` says how far it is.

    ``group`` is the number of the group that it is for, where each has a lab of its own.
    """

    what: str
    group: int | None = None


@dataclass(frozen=True)
class GroupStarted:
    """A group's cases are being set up; it ends with its budget (seconds) or its last block.

    ``params`` are those that tell it from the plan's other groups of its experiment, and ``kernel``
    is the guest's, if that does as well.
    """

    number: int
    experiment: str
    params: Mapping[str, Value]
    budget: float
    most_blocks: int
    kernel: str = ""


@dataclass(frozen=True)
class WorkAdvanced:
    """Long work on a case, or on its twin, goes on: ``what`` says how far it is.

    ``group`` is the number of the case's group.
    """

    case: Case
    twin: bool
    what: str
    group: int


@dataclass(frozen=True)
class GroupReady:
    """A group is set up, and each of its cases sampled once to warm it up; blocks come next.

    ``sound`` says that nothing failed meanwhile: all is set up that this machine can.
    """

    number: int
    sound: bool


@dataclass(frozen=True)
class WentOn:
    """A group was not set up: its guest goes on from where one ``saved`` (ISO 8601) had set it up.

    What is told of the set-up is what that guest told.
    """

    number: int
    saved: str


@dataclass(frozen=True)
class BlockEnded:
    """A block was taken; ``spent`` seconds of the group's budget are gone, on the lab's clock.

    ``precision`` is that of the group's least precise case so far, as the stop rule sees it.
    """

    number: int
    block: int
    spent: float
    precision: float


@dataclass(frozen=True)
class Captured:
    """The first packets of a case, as its proof saw them: a capture file's contents in base64."""

    case: Case
    packets: str


@dataclass(frozen=True)
class CaseEnded:
    """Everything about a case is known."""

    result: CaseResult


@dataclass(frozen=True)
class GroupEnded:
    """All of a group's results have been told."""

    number: int


@dataclass(frozen=True)
class Warned:
    """Something the user should know, and that no case's result says."""

    message: str


Event = (
    EnvironmentFound
    | LabAdvanced
    | GroupStarted
    | WorkAdvanced
    | GroupReady
    | WentOn
    | BlockEnded
    | Captured
    | CaseEnded
    | GroupEnded
    | Warned
)
Listener = Callable[[Event], None]
