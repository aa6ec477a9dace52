"""Which venues a request may use, and what each of them can measure."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass

from cnbench.core.errors import UnsupportedError, UsageError
from cnbench.core.experiment import Experiment
from cnbench.core.metric import ClockName
from cnbench.core.parameter import Point
from cnbench.core.run import Request
from cnbench.core.venue import HOST, CgroupVersion, Venue
from cnbench.lab.host import Lab

_VERSIONS: tuple[CgroupVersion, ...] = ("v2", "v1")

# Which of some points of an experiment are measured at which venue.
Division = Iterable[tuple[Venue, Sequence[Point]]]
Divide = Callable[[Experiment, Sequence[Point]], Division]


@dataclass(frozen=True)
class Guests:
    """The guests of a request: one of each of ``kernels`` and version of cgroup, on one clock.

    ``clock`` is ``wall``, or else instructions are counted, as a guest does best.
    """

    kernels: tuple[str, ...]
    clock: str = "auto"

    def divide(self, experiment: Experiment, points: Sequence[Point]) -> Division:
        """All points, each in the guests that have its version of cgroup."""
        for kernel in self.kernels:
            for version in _VERSIONS:
                able = [point for point in points if (experiment.cgroup(point) or "v2") == version]
                if able:
                    yield self._venue(kernel, version, experiment.userland), able

    def _venue(self, kernel: str, version: CgroupVersion, userland: str) -> Venue:
        clock: ClockName = "wall" if self.clock == "wall" else "instructions"
        return Venue("guest", clock, kernel, version, userland)


def all_on_host(experiment: Experiment, points: Sequence[Point]) -> Division:
    """All points on the host, which says what it lacks when they are measured."""
    yield HOST, points


@dataclass(frozen=True)
class HostFirst:
    """What ``lab``, the host's, can do there; and what it cannot, in ``guests``.

    Variants are only ever compared within one lab, so a guest that is to supply one of a group
    measures the group's others as well. Without guests the host says what it lacks; and so it does
    of what takes a guest too long, but in experiments that are ``named``: whose variants somebody
    asked for.
    """

    lab: Lab
    guests: Guests | None
    named: Container[str] = ()

    def divide(self, experiment: Experiment, points: Sequence[Point]) -> Division:
        """The points of each group on the host, in the guests, or in both."""
        for group in experiment.groups(points):
            able = [point for point in group if self._can(experiment, point)]
            if self.guests is None or len(able) == len(group):
                yield HOST, group
                continue
            asked_for = experiment.name in self.named
            counted = [point for point in group if asked_for or experiment.soon(point)]
            here = [point for point in group if point in able or point not in counted]
            if here:
                yield HOST, here
            yield from self.guests.divide(experiment, counted)

    def _can(self, experiment: Experiment, point: Point) -> bool:
        try:
            experiment.require(point, self.lab)
        except UnsupportedError:
            return False
        return True


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
