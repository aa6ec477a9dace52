"""The cgroup controllers, one experiment each, and what the grids of all of them have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cnbench.core.parameter import Parameter, Point
from cnbench.lab.cgroups import hierarchies
from cnbench.lab.host import Lab

CONTROLLER = Parameter(
    "controller",
    "the version of the cgroup interface",
    quick=("v1", "v2"),
    full=("v1", "v2"),
    choices=("v1", "v2"),
)


def controller(summary: str, *, alone: str = "", first: str = "") -> Parameter:
    """The parameter of a controller that has a word of its own for its versions.

    Args:
        summary: what the versions are here.
        alone: the only version that has it.
        first: the version that a quick run looks at.
    """
    only = (alone,) if alone else CONTROLLER.choices
    return replace(CONTROLLER, summary=summary, quick=(first,) if first else only, full=only)


def having(name: str) -> Callable[[Point, Lab], None]:
    """What a point of an experiment on the controller ``name`` needs: a hierarchy that has it."""

    def require(params: Point, lab: Lab) -> None:
        hierarchies.require(name, params.text("controller"))

    return require
