"""What a machine can measure, variant by variant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cnbench.core.errors import UnsupportedError
from cnbench.core.experiment import Experiment
from cnbench.core.parameter import Parameter, Point, Value
from cnbench.lab.host import Lab


@dataclass(frozen=True)
class Capability:
    """Whether one variant of one experiment can be measured in one lab."""

    lab: str
    experiment: str
    variant: str
    supported: bool
    reason: str = ""
    remedy: str = ""


def examine(experiment: Experiment, lab: Lab) -> Iterator[Capability]:
    """A finding for each value of the variant.

    Where the variant is a number, a machine lacks none of its values, but perhaps a choice beside
    it: then for each of both.
    """
    telling = _telling(experiment)
    given = {parameter.name: parameter.choices for parameter in telling if parameter.choices}
    for point in _one_of_each(telling, experiment.grid(False, given)):
        what = _shown(telling, point)
        try:
            experiment.require(point, lab)
        except UnsupportedError as error:
            yield Capability(lab.name, experiment.name, what, False, str(error), error.remedy)
        else:
            yield Capability(lab.name, experiment.name, what, True)


def variant_of(experiment: Experiment, point: Point) -> str:
    """What ``examine`` calls the variant that ``point`` is of."""
    return _shown(_telling(experiment), point)


def _telling(experiment: Experiment) -> list[Parameter]:
    """The parameters that tell whether a machine can measure a point, as far as they do."""
    variant = experiment.parameter(experiment.variant)
    if variant.choices:
        return [variant]
    beside = [experiment.parameter(name) for name in experiment.beside]
    return [variant, *(parameter for parameter in beside if parameter.choices)]


def _shown(telling: Sequence[Parameter], point: Point) -> str:
    return " ".join(
        f"{parameter.name}={parameter.show(point[parameter.name])}" for parameter in telling
    )


def _one_of_each(telling: Sequence[Parameter], points: Iterable[Point]) -> list[Point]:
    """The first point with each combination of values of the parameters in ``telling``."""
    first: dict[tuple[Value, ...], Point] = {}
    for point in points:
        first.setdefault(tuple(point[parameter.name] for parameter in telling), point)
    return list(first.values())
