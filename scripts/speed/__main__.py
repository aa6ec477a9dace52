"""Measures this build beside an earlier one: what it takes, as ratios of medians with intervals.

Each row of `rows/` is measured in rounds, both builds in turn, the first of a round by turns too. A
ratio is of the same round, so what slows the machine for a while cancels. What is being done is
told on stderr, with how long it took. A row that fails is told, and no reason to lose the others.

    .venv/bin/python scripts/speed BEFORE [--only show,report] [--write docs/speed.md]
    .venv/bin/python scripts/speed BEFORE --large [--write docs/speed-large.md]

BEFORE is a commit, which is built in a folder of its own, or a folder with a build. What takes
minutes is measured with --large, once a side. --reduced measures little, once: it shows that all
of it works.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
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
        with _told(f"building {chosen.before}"):
            sides = built(chosen.before, folder), here()
        found = []
        failed = False
        for row in rows:
            try:
                found.append(_measured(row, sides, chosen, folder))
            except RuntimeError as error:
                print(f"{row.name}: {error}", file=sys.stderr, flush=True)
                failed = True
                continue
            for line in lines_of(found[-1]):
                print(line, flush=True)
            if chosen.write:
                chosen.write.write_text(as_markdown(found, *sides))
    return int(failed or (any(one.missed for one in found) and not chosen.reduced))


def _chosen(given: argparse.Namespace) -> list[Row]:
    rows = [row for row in all_rows(reduced=given.reduced) if row.large == given.large]
    if not given.only:
        return rows
    names = given.only.split(",")
    if unknown := set(names) - {row.name for row in rows}:
        known = ", ".join(row.name for row in rows)
        sys.exit(f"there is no row {', '.join(unknown)}; there are {known}")
    return [row for row in rows if row.name in names]


def _measured(
    row: Row, sides: tuple[Side, Side], chosen: argparse.Namespace, folder: Path
) -> Measured:
    rounds = 1 if row.exact or row.large or chosen.reduced else row.rounds
    taken: dict[Side, list[dict[str, float]]] = {side: [] for side in sides}
    for side in sides:
        with _told(f"{row.name}, {side.name}, preparing"):
            row.prepare(side, folder)
    for number in range(rounds):
        for side in sides if number % 2 == 0 else reversed(sides):
            with _told(f"{row.name}, {side.name}, round {number + 1} of {rounds}"):
                taken[side].append(row.measure(side, folder))
    before, after = (taken[side] for side in sides)
    return Measured(row, before, after)


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Say what is being done, and then how long it took."""
    print(f"{what} ...", end="", file=sys.stderr, flush=True)
    began = time.monotonic()
    try:
        yield
    finally:
        print(f" {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)


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
