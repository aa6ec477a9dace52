"""Measures this build beside an earlier one: what it takes, as ratios of medians with intervals.

Each row of `rows/` is measured in rounds, both builds in turn, the first of a round by turns too. A
ratio is of the same round, so what slows the machine for a while cancels.

    .venv/bin/python scripts/speed BEFORE [--only show,report] [--write docs/speed.md]
    .venv/bin/python scripts/speed BEFORE --large [--write docs/speed-large.md]

BEFORE is a commit, which is built in a folder of its own, or a folder with a build. What takes
minutes is measured with --large, once a side. --reduced measures little, once: it shows that all
of it works.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from speed.row import Row
from speed.rows import all_rows
from speed.sides import Side, built, here
from speed.table import Measured, as_markdown, lines_of


def main() -> int:
    """Measure, print each row as it is known, and end with 1 where a target is missed."""
    chosen = _arguments().parse_args()
    rows = _chosen(chosen)
    with tempfile.TemporaryDirectory(prefix="cnbench-speed-") as name:
        folder = Path(name)
        sides = built(chosen.before, folder), here()
        found = []
        for row in rows:
            for side in sides:
                row.prepare(side, folder)
            rounds = 1 if row.exact or row.large or chosen.reduced else row.rounds
            found.append(_measured(row, sides, rounds, folder))
            for line in lines_of(found[-1]):
                print(line, flush=True)
    if chosen.write:
        chosen.write.write_text(as_markdown(found, *sides))
    return int(any(one.missed for one in found) and not chosen.reduced)


def _chosen(given: argparse.Namespace) -> list[Row]:
    rows = [row for row in all_rows(reduced=given.reduced) if row.large == given.large]
    if not given.only:
        return rows
    names = given.only.split(",")
    if unknown := set(names) - {row.name for row in rows}:
        known = ", ".join(row.name for row in rows)
        sys.exit(f"there is no row {', '.join(unknown)}; there are {known}")
    return [row for row in rows if row.name in names]


def _measured(row: Row, sides: tuple[Side, Side], rounds: int, folder: Path) -> Measured:
    taken: dict[Side, list[dict[str, float]]] = {side: [] for side in sides}
    for number in range(rounds):
        for side in sides if number % 2 == 0 else reversed(sides):
            taken[side].append(row.measure(side, folder))
    before, after = (taken[side] for side in sides)
    return Measured(row, before, after)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("before", help="a commit, or a folder with a build of one")
    parser.add_argument("--large", action="store_true", help="what takes minutes, once a side")
    parser.add_argument("--reduced", action="store_true", help="little of it, once")
    parser.add_argument("--only", default="", help="names of rows, with commas between")
    parser.add_argument("--write", type=Path, help="the page to write the table to")
    return parser


if __name__ == "__main__":
    sys.exit(main())
