"""Measures this build beside an earlier one: what it takes, as ratios of medians with intervals.

Each row of `rows/` is measured in rounds, both builds in turn, the first of a round by turns too. A
ratio is of the same round, so what slows the machine for a while cancels.

    .venv/bin/python scripts/speed BEFORE [--rounds 7] [--only show,report] [--write docs/speed.md]

BEFORE is a commit, which is built in a folder of its own, or a folder with a build.
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
from speed.table import Measured, as_markdown, line_of


def main() -> int:
    """Measure, print each row as it is known, and end with 1 where a target is missed."""
    chosen = _arguments().parse_args()
    rows = [row for row in all_rows() if not chosen.only or row.name in chosen.only.split(",")]
    with tempfile.TemporaryDirectory(prefix="cnbench-speed-") as name:
        folder = Path(name)
        before, after = built(chosen.before, folder), here()
        found = []
        for row in rows:
            row.prepare(folder)
            found.append(_measured(row, before, after, chosen.rounds, folder))
            for line in line_of(found[-1]):
                print(line, flush=True)
    if chosen.write:
        chosen.write.write_text(as_markdown(found, before, after))
    return int(any(one.missed for one in found))


def _measured(row: Row, before: Side, after: Side, rounds: int, folder: Path) -> Measured:
    taken: dict[Side, list[dict[str, float]]] = {before: [], after: []}
    for number in range(1 if row.exact else rounds):
        order = (before, after) if number % 2 == 0 else (after, before)
        for side in order:
            taken[side].append(row.measure(side, folder))
    return Measured(row, taken[before], taken[after])


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("before", help="a commit, or a folder with a build of one")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="names of rows, with commas between")
    parser.add_argument("--write", type=Path, help="the page to write the table to")
    return parser


if __name__ == "__main__":
    sys.exit(main())
