"""A dimension of an experiment: its values, and how a person writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cnbench.core.errors import CnbenchError, UsageError
from cnbench.core.nearest import choose_from
from cnbench.core.units import COUNT, format_exact, parse_quantity

Value = str | int | float
Params = Mapping[str, Value]


class Point(dict[str, Value]):
    """One point of a grid: a value for each parameter, or for those before the one that is asked.

    What kind of value a parameter has is known to its experiment, which asks for it as that.
    """

    def __or__(self, other: Params) -> Point:  # type: ignore[override]
        """This point with the values of ``other``."""
        return Point({**self, **other})

    def text(self, name: str) -> str:
        """A word or a text. Raises TypeError where the parameter ``name`` has numbers."""
        value = self[name]
        if not isinstance(value, str):
            raise TypeError(f"{name} is the number {value}, not a text")
        return value

    def number(self, name: str) -> float:
        """A number in its base unit. Raises TypeError where the parameter ``name`` has texts."""
        value = self[name]
        if isinstance(value, str):
            raise TypeError(f"{name} is the text '{value}', not a number")
        return float(value)

    def whole(self, name: str) -> int:
        """A whole number. Raises TypeError where the parameter ``name`` has other values."""
        value = self[name]
        if isinstance(value, str) or value != int(value):
            raise TypeError(f"{name} is {value!r}, not a whole number")
        return int(value)


# Some values follow from the parameters named before them (as many threads as the quota needs).
Values = tuple[Value, ...] | Callable[[Point], tuple[Value, ...]]


@dataclass(frozen=True)
class Parameter:
    """One dimension of the grid.

    Attributes:
        name: as written after ``-p``.
        summary: one line that says what it changes.
        quick: the values of a quick run, or a function of the parameters before it.
        full: the values of a full run, likewise.
        choices: the only values there are; for words.
        text: any text is a value, such as the path of a folder; it has neither choices nor a unit.
        unit: base unit of a number; ``""`` is a count.
        whole: only whole numbers make sense.
        minimum: the smallest value that is accepted, in base units.
        maximum: the largest value that is accepted, in base units.
    """

    name: str
    summary: str
    quick: Values
    full: Values
    choices: tuple[str, ...] = ()
    unit: str = COUNT
    whole: bool = False
    minimum: float = 0
    maximum: float = field(default=float("inf"))
    text: bool = False

    def __post_init__(self) -> None:
        if self.text and (self.choices or self.unit != COUNT or self.whole):
            raise CnbenchError(f"parameter {self.name}: a text has neither choices nor a unit")

    def values(self, full: bool, so_far: Point) -> tuple[Value, ...]:
        """The values of a quick or a full run, given the parameters before this one."""
        values = self.full if full else self.quick
        return values(so_far) if callable(values) else values

    def parse(self, text: str) -> Value:
        """Read one value as a person writes it.

        Raises:
            UsageError: not a value of this parameter; the remedy says which there are.
        """
        if self.choices:
            if text not in self.choices:
                raise UsageError(
                    f"{self.name}: '{text}' is not one of its values",
                    choose_from(text, self.choices),
                )
            return text
        if self.text:
            return self._checked(text)
        try:
            number = parse_quantity(text, self.unit)
        except UsageError as error:
            raise UsageError(f"{self.name}: {error}", error.remedy) from None
        if not self.minimum <= number <= self.maximum:
            raise UsageError(
                f"{self.name}: {text} is out of range", f"give a value {self._range()}"
            )
        if self.whole:
            if number != round(number):
                raise UsageError(f"{self.name}: {text} is not a whole number")
            return round(number)
        return number

    def show(self, value: Value) -> str:
        """``value`` as a person writes it, which ``parse`` reads back."""
        return value if isinstance(value, str) else format_exact(value, self.unit)

    def _checked(self, text: str) -> str:
        """``text``, which becomes part of a case's key and of tables: one line, not empty."""
        if not text.strip() or not text.isprintable():
            raise UsageError(
                f"{self.name}: {text!r} is not a text of one line", "give a value without newlines"
            )
        return text

    def _range(self) -> str:
        low = self.show(self.minimum)
        return (
            f"of at least {low}"
            if self.maximum == float("inf")
            else f"from {low} to {self.show(self.maximum)}"
        )
