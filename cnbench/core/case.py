"""One point of an experiment's grid, in the lab and on the clock it is measured on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from cnbench.core.metric import ClockName
from cnbench.core.parameter import Value
from cnbench.core.venue import CgroupVersion, Venue


@dataclass(frozen=True)
class Case:
    """One point of the grid.

    Attributes:
        experiment: its name.
        params: a value for each of the experiment's parameters, in their order.
        lab: ``host`` or ``guest``.
        clock: what time means in this case's samples.
        kernel: the guest's kernel as asked for (a suite or a file); empty on the host.
    """

    experiment: str
    params: Mapping[str, Value]
    lab: str = "host"
    clock: ClockName = "wall"
    kernel: str = ""

    @cached_property
    def key(self) -> str:
        """A text that is equal for equal cases, usable as a dictionary key."""
        return " ".join([*self.where, self.point])

    @cached_property
    def point(self) -> str:
        """The experiment and its parameters alone: what two runs on different labs share."""
        return " ".join(
            [self.experiment, *(f"{name}={value}" for name, value in self.params.items())]
        )

    @property
    def where(self) -> tuple[str, ...]:
        """Lab, clock and (for a guest) kernel."""
        return tuple(part for part in (self.lab, self.clock, self.kernel) if part)


@dataclass(frozen=True)
class Group:
    """Cases that are sampled in the same blocks, so that they can be compared by pairs.

    Attributes:
        cases: of one experiment, lab, clock and kernel. The first that can be set up is the
            reference, which is measured twice in every block (A and A′).
        number: tells the group from the others of its run, a resumed one included.
        cgroup: the version of cgroup that a guest for them has its controllers on.
        userland: which of a guest's userlands has their tools; empty for the usual one.
    """

    cases: tuple[Case, ...]
    number: int = 0
    cgroup: CgroupVersion = ""
    userland: str = ""

    @property
    def venue(self) -> Venue:
        """Where all its cases are measured."""
        first = self.cases[0]
        return Venue(first.lab, first.clock, first.kernel, self.cgroup, self.userland)

    @property
    def experiment(self) -> str:
        """The experiment of all its cases."""
        return self.cases[0].experiment

    @property
    def title(self) -> str:
        """The group in a few words: the experiment, and the parameters that all its cases share."""
        return " ".join([self.experiment, *(f"{name}={v}" for name, v in self.shared.items())])

    @property
    def shared(self) -> dict[str, Value]:
        """The parameters that all its cases have in common, with their values."""
        return {
            name: value
            for name, value in self.cases[0].params.items()
            if all(case.params[name] == value for case in self.cases)
        }
