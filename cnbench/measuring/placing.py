"""Where a group is measured: on the host, or in a guest with some kernel, and on which clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cnbench.core.errors import UnsupportedError, UsageError
from cnbench.core.experiment import Experiment
from cnbench.core.metric import ClockName
from cnbench.core.parameter import Params
from cnbench.core.run import Request
from cnbench.lab.host import Lab


@dataclass(frozen=True)
class Place:
    """A lab, the clock in it, and for a guest the kernel."""

    lab: str
    clock: ClockName
    kernel: str = ""


HOST = Place("host", "wall")

# The points to measure at each place; a group is never spread over two.
Placing = Callable[[Experiment, Sequence[Params]], list[tuple[Place, Sequence[Params]]]]


def everything_on(places: Sequence[Place]) -> Placing:
    """All points at each of ``places``."""

    def place(
        experiment: Experiment, points: Sequence[Params]
    ) -> list[tuple[Place, Sequence[Params]]]:
        return [(at, points) for at in places]

    return place


def host_first(request: Request, lab: Lab, guests: Sequence[Place]) -> Placing:
    """On the host what it can do; and in the guests what was asked for that it cannot.

    Variants are only ever compared inside a group, so a guest that is to supply one of them
    measures the group's others as well. Of a grid whose variants nobody named, the host measures
    what it can and says what is missing: a run of everything stays a matter of minutes.
    """

    def place(
        experiment: Experiment, points: Sequence[Params]
    ) -> list[tuple[Place, Sequence[Params]]]:
        placed: list[tuple[Place, Sequence[Params]]] = []
        named = experiment.variant in request.given.get(experiment.name, {})
        for group in experiment.groups(points):
            possible = [point for point in group if _can(experiment, point, lab)]
            if len(possible) == len(group) or not guests or not named:
                placed.append((HOST, group))
                continue
            if possible:
                placed.append((HOST, possible))
            placed += [(guest, group) for guest in guests]
        return placed

    return place


def guest_places(request: Request, natural_clock: ClockName) -> list[Place]:
    """The guests that ``request`` allows; ``natural_clock`` is what a guest here keeps best."""
    clock = natural_clock if request.clock == "auto" else request.clock
    if clock == "instructions":
        return [Place("guest", "instructions", kernel) for kernel in request.kernels]
    return [Place("guest", "wall", kernel) for kernel in request.kernels]


def check_request(request: Request) -> None:
    """Refuse what no lab can do.

    Raises:
        UsageError: the instruction clock is asked for on the host.
    """
    if request.lab == "host" and request.clock == "instructions":
        raise UsageError(
            "the host cannot count instructions; only a guest has that clock",
            "use --lab guest, or leave --lab out",
        )


def _can(experiment: Experiment, point: Params, lab: Lab) -> bool:
    try:
        experiment.require(point, lab)
    except UnsupportedError:
        return False
    return True
