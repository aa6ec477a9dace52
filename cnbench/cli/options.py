"""Options that several commands have, and how their values are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from cnbench.cli import completion
from cnbench.core.errors import UsageError
from cnbench.core.units import parse_quantity

F = TypeVar("F", bound=Callable[..., Any])


class Quantity(click.ParamType[float]):
    """A number with a unit, as a person writes it."""

    name = "quantity"

    def __init__(self, unit: str, what: str) -> None:
        self._unit = unit
        self._what = what

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The value in base units; a positive number."""
        if isinstance(value, float):
            return value
        try:
            number = parse_quantity(str(value), self._unit)
        except UsageError as error:
            self.fail(f"{error}; {error.remedy}", param, ctx)
        if number <= 0:
            self.fail(f"{self._what} must be more than nothing", param, ctx)
        return number


def sampling_options(command: F) -> F:
    """What decides how a measurement is made: its points, the order, and the time."""
    budget = click.option(
        "--budget",
        type=Quantity("s", "a budget"),
        metavar="TIME",
        help="Time for all sampling together: 90s, 2m. It bounds how many set-ups a case has as"
        " well; a group takes at least one a case, and two blocks. Counts of instructions take"
        " their blocks whatever it is: a guest does not know our time.",
    )
    return point_options(budget(command))


def point_options(command: F) -> F:
    """Which points are measured, and the order inside a block: all that a count can be told."""
    for option in (
        click.option("--quick/--full", "quick", default=True, help="Which values to measure."),
        click.option(
            "-p",
            "assignments",
            multiple=True,
            metavar="NAME=V1,V2",
            shell_complete=completion.assignments,
            help="Values of a parameter, in the units a person writes: -p period=10ms.",
        ),
        click.option("--seed", type=int, default=1, help="Of the order inside blocks."),
    ):
        command = option(command)
    return command


def guest_options(command: F) -> F:
    """How guests that count instructions are used; it does not change what they count."""
    for option in (
        click.option(
            "--jobs",
            type=click.IntRange(min=1),
            metavar="N",
            help="How many guests count instructions at once; by default as many as there are"
            " processors and memory for. What is timed always runs alone.",
        ),
        click.option(
            "--anew",
            is_flag=True,
            help="Set up anew what a saved guest, of the same code, has set up already.",
        ),
    ):
        command = option(command)
    return command


def lab_options(command: F) -> F:
    """Where to measure, and what time is there."""
    command = guest_options(command)
    for option in (
        click.option(
            "--lab",
            type=click.Choice(["auto", "host", "guest"]),
            default="auto",
            help="auto: the host, and guests that count instructions for what it lacks.",
        ),
        click.option(
            "--clock",
            type=click.Choice(["auto", "wall", "instructions"]),
            default="auto",
            help="What time is; instructions are counted in a guest.",
        ),
        click.option(
            "--kernel",
            "kernels",
            default="trixie",
            metavar="NAME,...",
            show_default=True,
            help="The guest's kernel.",
        ),
    ):
        command = option(command)
    return command


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout."
)
