"""Tables that say everything at any width: what is wider than the terminal is folded, never cut.

A column that is the same in all rows goes into the title. Where the rest does not fit, the columns
that tell rows apart stand in each of several tables, one below the other, with some of the figures
beside them; where even that is too wide, a telling column becomes the heading of the rows that have
its value.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cnbench.cli.terminal import SafeConsole

# Where nobody says how wide the reader's screen is: logs, files, pipes.
_WIDTH_OF_NO_TERMINAL = 240
_GAP = 2
# Sentences are wrapped, but not into columns of single words.
_NARROWEST_SENTENCES = 20


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        heading: its name.
        cells: its text in every row, with rich's markup.
        telling: it tells rows apart, so it stands beside whatever else is shown.
        about: it is about the figures, and as well said in the title where it never changes.
        right: it is aligned right.
        sentences: its text may be wrapped between words.
    """

    heading: str
    cells: tuple[str, ...]
    telling: bool = False
    about: bool = False
    right: bool = False
    sentences: bool = False

    @property
    def natural(self) -> int:
        """The width that it has where there is room."""
        return max(map(_widest_line, (self.heading, *self.cells)))

    @property
    def narrowest(self) -> int:
        """The width below which something would be cut, or be hard to read."""
        if not self.sentences:
            return self.natural
        texts = (self.heading, *self.cells)
        longest = max(_widest_line(word) for text in texts for word in _plain(text).split() or [""])
        return max(longest, min(self.natural, _NARROWEST_SENTENCES))

    def of(self, rows: Sequence[int]) -> Column:
        """The column of some of the rows."""
        return replace(self, cells=tuple(self.cells[row] for row in rows))


def console() -> Console:
    """stdout, as wide as the terminal or as COLUMNS says; wide where there is neither."""
    found = SafeConsole(highlight=False)
    if found.is_terminal or os.environ.get("COLUMNS", "").isdigit():
        return found
    return SafeConsole(highlight=False, width=_WIDTH_OF_NO_TERMINAL)


def print_table(out: Console, columns: Sequence[Column], title: str = "") -> None:
    """Print all columns, folded where they are too wide for ``out``; all have as many cells."""
    same, columns = _constant(columns)
    said = "  ".join(part for part in (title, f"[dim]{same}[/]" if same else "") if part)
    if said:
        out.print(said)
    if columns:
        _print_folded(out, columns)


def _constant(columns: Sequence[Column]) -> tuple[str, list[Column]]:
    """What is the same in all rows, in words, and the columns that remain."""
    constant = [
        column
        for column in columns
        if (column.telling or column.about) and len(set(column.cells)) == 1
    ]
    if len(constant) == len(columns):
        constant = constant[1:]
    words = " ".join(f"{column.heading}={column.cells[0]}" for column in constant if column.telling)
    about = ", ".join(f"{column.heading} {column.cells[0]}" for column in constant if column.about)
    words = "  ".join(part for part in (words, about) if part)
    return words, [column for column in columns if column not in constant]


def _print_folded(out: Console, columns: Sequence[Column]) -> None:
    telling = [column for column in columns if column.telling]
    others = [column for column in columns if not column.telling]
    if _fits(columns, out.width):
        out.print(_table(columns, out.width))
        return
    too_wide = not all(_fits([*telling, other], out.width) for other in others)
    if telling and len(set(telling[0].cells)) < len(telling[0].cells) and too_wide:
        _print_by_value(out, telling[0], [column for column in columns if column != telling[0]])
        return
    parts = _parts(others, lambda some: _fits([*telling, *some], out.width))
    for number, part in enumerate(parts):
        if number:
            out.print()
        out.print(_table([*telling, *part], out.width))


def _print_by_value(out: Console, leading: Column, rest: Sequence[Column]) -> None:
    """A table for each value of the ``leading`` column, which is its heading."""
    for value in dict.fromkeys(leading.cells):
        rows = [row for row, cell in enumerate(leading.cells) if cell == value]
        print_table(
            out, [column.of(rows) for column in rest], f"[bold]{leading.heading} {value}[/]"
        )


def _parts(
    columns: Sequence[Column], fits: Callable[[Sequence[Column]], bool]
) -> list[list[Column]]:
    """``columns`` in their order, as many together as fit, and at least one."""
    parts: list[list[Column]] = [[]]
    for column in columns:
        if parts[-1] and not fits([*parts[-1], column]):
            parts.append([])
        parts[-1].append(column)
    return parts


def _fits(columns: Sequence[Column], width: int) -> bool:
    return _with_gaps([column.narrowest for column in columns]) <= width


def _with_gaps(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _table(columns: Sequence[Column], width: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, _GAP - 1, 0, 0), pad_edge=False, show_edge=False)
    for column, its_width in zip(columns, _widths(columns, width), strict=True):
        table.add_column(
            column.heading,
            justify="right" if column.right else "left",
            overflow="fold",
            width=its_width,
        )
    for cells in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*cells)
    return table


def _widths(columns: Sequence[Column], width: int) -> list[int]:
    """What each column gets: its narrowest width, and of what is left the narrow ones first."""
    given = [column.narrowest for column in columns]
    left = width - _with_gaps(given)
    wanting = [n for n, column in enumerate(columns) if column.natural > given[n]]
    for index, n in enumerate(sorted(wanting, key=lambda n: columns[n].natural - given[n])):
        more = max(0, min(columns[n].natural - given[n], left // (len(wanting) - index)))
        given[n] += more
        left -= more
    return [min(given_width, width) for given_width in given]


def _plain(text: str) -> str:
    return Text.from_markup(text).plain


def _widest_line(text: str) -> int:
    return max((Text.from_markup(line).cell_len for line in text.split("\n")), default=0)
