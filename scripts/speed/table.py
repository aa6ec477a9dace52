"""What was measured, as a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from speed.row import Figure, Row
from speed.sides import Side

from cnbench.core.units import format_quantity
from cnbench.stats.intervals import Interval
from cnbench.stats.paired import paired_ratio


@dataclass(frozen=True)
class Measured:
    """A row as it was measured: its figures in each round of both builds."""

    row: Row
    before: Sequence[dict[str, float]]
    after: Sequence[dict[str, float]]

    def of(self, figure: Figure) -> tuple[float, float, Interval]:
        """The medians of both builds, and the ratio of this one's with its 95 % interval."""
        before, after = (
            np.array([taken[figure.name] for taken in side]) for side in (self.before, self.after)
        )
        medians = float(np.median(before)), float(np.median(after))
        if self.row.exact:
            ratio = medians[1] / medians[0]
            return *medians, Interval(ratio, ratio, ratio)
        return *medians, paired_ratio(before, after)

    @property
    def missed(self) -> list[str]:
        """The figures that are beyond their target, by name."""
        return [
            figure.name
            for figure in self.row.figures
            if figure.target is not None and self.of(figure)[2].estimate > figure.target
        ]


def lines_of(measured: Measured) -> Iterator[str]:
    """The lines of the table for one row."""
    for figure in measured.row.figures:
        before, after, ratio = measured.of(figure)
        cells = (
            measured.row.what,
            figure.name,
            format_quantity(before, figure.unit),
            format_quantity(after, figure.unit),
            _ratio_text(ratio, exact=measured.row.exact),
            str(len(measured.after)),
            "" if figure.target is None else _share(figure.target),
            "" if figure.target is None else "no" if figure.name in measured.missed else "yes",
        )
        yield "| " + " | ".join(cells) + " |"


def as_markdown(found: Sequence[Measured], before: Side, after: Side) -> str:
    """The page."""
    lines = [
        "# How fast it is, beside an earlier build",
        "",
        f"Written by `scripts/speed {before.name}`: {after.name} beside {before.name}. Medians of",
        "the rounds, in which both builds do it in turn; a ratio is of the same round, with its",
        "95 % interval where six rounds or more bound it.",
        "",
        "| what | figure | before | now | ratio | rounds | at most | held |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(line for one in found for line in lines_of(one)),
        *limits_of(found),
    ]
    return "\n".join(lines) + "\n"


def limits_of(found: Sequence[Measured]) -> list[str]:
    """What stands in the way of the targets that were missed."""
    told = [f"- {one.row.what}: {one.row.limit}" for one in found if one.missed and one.row.limit]
    return ["", "What stands in the way where a target is not held:", "", *told] if told else []


def _ratio_text(ratio: Interval, *, exact: bool) -> str:
    if exact or not math.isfinite(ratio.high):
        return f"{ratio.estimate:.3f}"
    return f"{ratio.estimate:.3f} ({ratio.low:.3f} – {ratio.high:.3f})"


def _share(target: float) -> str:
    """A target as one in so many, where it is one."""
    if target < 1 and abs(1 / target - round(1 / target)) < 1e-9:
        return f"1/{round(1 / target)}"
    return f"{target:.2f}"
