"""An experiment: one primitive, one question, and the way from a case to a sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from cnbench.core.errors import UsageError
from cnbench.core.metric import Metric
from cnbench.core.nearest import choose_from
from cnbench.core.parameter import Parameter, Params, Point, Value
from cnbench.core.proof import Proof
from cnbench.core.venue import CgroupVersion

if TYPE_CHECKING:  # a type alone: core imports nothing of ours that is not of core
    from cnbench.lab.host import Lab


class Subject(Protocol):
    """A case that is set up and ready to be sampled; leaving its context removes every trace.

    Other subjects are sampled between its own samples, so it must be quiet meanwhile.
    """

    def sample(self) -> Mapping[str, float]:
        """One observation of each metric that this case has, in base units; always of the same."""

    def proof(self) -> Proof:
        """The evidence that the samples so far took the path that the case claims."""


@runtime_checkable
class Captures(Protocol):
    """A subject whose proof looks at packets, and has kept the first of them."""

    def capture(self) -> bytes:
        """The contents of a capture file; without packets before the proof was asked for."""


@runtime_checkable
class Accounts(Protocol):
    """A subject that holds its samples against the kernel's counters once a block.

    For what a look at the counters is long for. Others do so in ``sample``, and take it again.
    """

    def account(self) -> bool:
        """Whether the counters say what was sampled since the last account.

        Where they do not, none of those samples is to be used.
        """


OpenSubject = Callable[[Point, "Lab"], AbstractContextManager[Subject]]


def always_supported(params: Point, lab: Lab) -> None:
    """For an experiment that needs nothing a machine could lack."""


def always_sensible(params: Point) -> str:
    """For an experiment in which every point of the grid makes sense."""
    return ""


def one_setup(params: Point) -> int:
    """For an experiment in which a case has one set-up."""
    return 1


def everywhere(number: int) -> Callable[[Point], int]:
    """``number`` set-ups of each case, whatever its point."""
    return lambda params: number


def never_apart(params: Point) -> bool:
    """For an experiment whose set-ups do not differ by the process that they are in."""
    return False


def soon_counted(params: Point) -> bool:
    """For an experiment of which no point takes a guest long."""
    return True


def never_soon_counted(params: Point) -> bool:
    """For an experiment whose points take a guest minutes, or that cannot be counted at all."""
    return False


def of_any_cgroup(params: Point) -> CgroupVersion:
    """For an experiment that needs no controller of cgroup."""
    return ""


def of_one_era(release: str) -> str:
    """For an experiment about a thing that all kernels do alike."""
    return ""


@dataclass(frozen=True)
class Experiment:
    """What is measured, how, and what it takes.

    Attributes:
        name: as written on the command line.
        question: the one question that it answers.
        parameters: the dimensions of its grid, each after those its values follow from.
        metrics: what samples give, the headline first; a case may have some of them only.
        variant: the parameter that is being compared.
        beside: further parameters whose values share a block with the variants, because they
            share a set-up or because their paired difference is a result.
        subject: opens a case in a lab; raises an error of ours where it fails.
        require: raises UnsupportedError where a lab cannot measure a point.
        nonsense: why a point of the grid makes no sense and is left out, or the empty text.
        tools: the command-line tools that it drives, for ``doctor``.
        era: which of its kernels' behaviours a release has, where that changed so much that results
            of two must not be compared; the empty text where all are alike.
        cgroup: the version of cgroup that a point needs its controllers on, or the empty text; a
            guest is given it.
        soon: whether a guest has a point counted soon enough for a run in which nobody asked for
            it.
        userland: which of a guest's userlands has its tools; empty for the usual one.
        setups: how many set-ups a point's case has, which its samples take in turn (three at most
            on the instruction clock); cases that share blocks have as many as that with the most.
        apart: whether each set-up of a point's case is in a process of its own on the wall clock,
            as where what is timed is this program's own code: where that lies, and how it hashes,
            is drawn once a process. Of groups of few cases (see ``measuring.setups``).
        counted: its cost is that of executed code, not of a disk or of waiting, so that a count of
            instructions says it; asv then measures it in a guest, where one is built.
        share: of the sampling time that a group has unless a budget is given; less than 1 where few
            samples say enough, so that a quick run of everything stays a matter of minutes.
        alike: why one set-up of a case stands for all of them, as measured; empty where that is not
            so, or not known: a case then has six and more, or its comparisons say so.
        asked_for: it is measured only where it is named, since it needs what is built at request.
        caveat: what every reader of its results must know, in a sentence or two.
    """

    name: str
    question: str
    parameters: tuple[Parameter, ...]
    metrics: tuple[Metric, ...]
    variant: str
    subject: OpenSubject
    beside: tuple[str, ...] = ()
    require: Callable[[Point, Lab], None] = always_supported
    nonsense: Callable[[Point], str] = always_sensible
    tools: tuple[str, ...] = field(default=())
    era: Callable[[str], str] = of_one_era
    cgroup: Callable[[Point], CgroupVersion] = of_any_cgroup
    soon: Callable[[Point], bool] = soon_counted
    userland: str = ""
    setups: Callable[[Point], int] = one_setup
    apart: Callable[[Point], bool] = never_apart
    share: float = 1.0
    alike: str = ""
    counted: bool = False
    asked_for: bool = False
    caveat: str = ""

    def parameter(self, name: str) -> Parameter:
        """The parameter called ``name``.

        Raises:
            UsageError: there is none; the remedy lists those there are.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise UsageError(
            f"{self.name} has no parameter '{name}'",
            f"{choose_from(name, (p.name for p in self.parameters))}; "
            f"`cnbench list {self.name}` describes them",
        )

    def metric(self, name: str) -> Metric:
        """The metric called ``name``.

        Raises:
            UsageError: there is none; the remedy lists those there are.
        """
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise UsageError(
            f"{self.name} has no metric '{name}'", choose_from(name, (m.name for m in self.metrics))
        )

    def show(self, params: Params) -> dict[str, str]:
        """Every parameter's value as a person writes it."""
        return {name: self.parameter(name).show(value) for name, value in params.items()}

    def grid(self, full: bool, given: Mapping[str, Sequence[Value]]) -> list[Point]:
        """The points to measure: ``given`` values where there are some, else quick or full ones.

        Points that make no sense are left out unless that leaves nothing.

        Raises:
            UsageError: every point makes no sense; the message says why.
        """
        points = list(self._points(full, given, Point()))
        sensible = [point for point in points if not self.nonsense(point)]
        if points and not sensible:
            raise UsageError(f"{self.name}: {self.nonsense(points[0])}")
        return sensible

    def senseless(
        self, full: bool, given: Mapping[str, Sequence[Value]]
    ) -> list[tuple[dict[str, Value], str]]:
        """What ``given`` asks for in vain: combinations of its values without a point in `grid`.

        Returns:
            The values of the given parameters, and why their first point makes no sense.
        """
        why: dict[tuple[Value, ...], str] = {}
        sensible: set[tuple[Value, ...]] = set()
        names = [parameter.name for parameter in self.parameters if given.get(parameter.name)]
        for point in self._points(full, given, Point()):
            asked = tuple(point[name] for name in names)
            reason = self.nonsense(point)
            if reason:
                why.setdefault(asked, reason)
            else:
                sensible.add(asked)
        return [
            (dict(zip(names, asked, strict=True)), reason)
            for asked, reason in why.items()
            if asked not in sensible
        ]

    def _points(
        self, full: bool, given: Mapping[str, Sequence[Value]], so_far: Point
    ) -> Iterator[Point]:
        if len(so_far) == len(self.parameters):
            yield so_far
            return
        parameter = self.parameters[len(so_far)]
        for value in given.get(parameter.name) or parameter.values(full, so_far):
            yield from self._points(full, given, so_far | {parameter.name: value})

    def groups(self, points: Sequence[Point]) -> list[list[Point]]:
        """``points`` cut into those that are sampled in the same blocks, in their order."""
        apart = [p.name for p in self.parameters if p.name not in {self.variant, *self.beside}]

        def what_stays(point: Point) -> tuple[Value, ...]:
            return tuple(point[name] for name in apart)

        by_setting: dict[tuple[Value, ...], list[Point]] = {}
        for point in points:
            by_setting.setdefault(what_stays(point), []).append(point)
        return list(by_setting.values())
