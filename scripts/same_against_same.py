"""Shows what `cnbench compare` says of real runs of the same thing, and of a seeded change.

Measures a quick case again and again while the other CPU is kept busy, each run with `--repeat 3`,
and compares them two by two: an interval of 95 % should hold 1, and nothing be called worse. Then
every value of the second run of each pair is made 5 % larger, which is to be found. About ten
minutes.

    .venv/bin/python scripts/same_against_same.py [--pairs 20] [--budget 9s] [EXPERIMENT -p ...]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cnbench.core.run import Sample
from cnbench.store import run_file

CNBENCH = Path(sys.executable).with_name("cnbench")
_QUICK = ("scheduler-scoring", "-p", "plugin=NodeResourcesFit,TaintToleration", "-p", "nodes=100")
_BUSY = "while True: pass"


@dataclass
class Tally:
    """What came of the comparisons of one kind."""

    rows: int = 0
    bounded: int = 0
    held: int = 0
    codes: Counter[int] = field(default_factory=Counter)

    def add(self, compared: dict[str, object], code: int) -> None:
        """Count one comparison as it was printed."""
        self.codes[code] += 1
        for row in compared["rows"]:  # type: ignore[attr-defined]
            self.rows += 1
            self.bounded += row["low"] is not None and row["high"] is not None
            self.held += row["low"] is not None and row["low"] <= 1 <= row["high"]


@contextlib.contextmanager
def busy_neighbour() -> Iterator[None]:
    """Keep a CPU busy: the last, of those that this process may run on."""
    cpu = max(os.sched_getaffinity(0))
    process = subprocess.Popen([sys.executable, "-c", _BUSY])
    os.sched_setaffinity(process.pid, {cpu})
    try:
        yield
    finally:
        process.kill()
        process.wait()


def measure(path: Path, what: list[str], budget: str) -> None:
    """One run with three repeats."""
    argv = [CNBENCH, "run", *what, "--budget", budget, "--repeat", "3", "-o", path, "--json"]
    subprocess.run(argv, check=True, capture_output=True)


def slower(path: Path, factor: float) -> Path:
    """A copy of a run whose every value is ``factor`` times as large."""

    def times(samples: Sequence[Sample]) -> tuple[Sample, ...]:
        return tuple(
            replace(sample, values={name: v * factor for name, v in sample.values.items()})
            for sample in samples
        )

    run = run_file.read(path)
    run.cases = [
        replace(case, samples=times(case.samples), twin=times(case.twin)) for case in run.cases
    ]
    seeded = path.with_suffix(".seeded.jsonl")
    run_file.write(run, seeded)
    return seeded


def compare(a: Path, b: Path) -> tuple[dict[str, object], int]:
    """What `cnbench compare` prints, and its exit code."""
    argv = [CNBENCH, "compare", a, b, "--json"]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    if done.returncode not in (0, 1, 3):
        raise SystemExit(done.stderr)
    return json.loads(done.stdout), done.returncode


def main() -> None:
    """Measure, compare, and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--budget", default="9s", help="of one run, all three repeats together")
    options, what = parser.parse_known_args()
    same, seeded = Tally(), Tally()
    with tempfile.TemporaryDirectory() as folder, busy_neighbour():
        # The spread between runs is to come from the repeats alone.
        os.environ["CNBENCH_RESULTS"] = str(Path(folder, "none"))
        for number in range(options.pairs):
            a, b = Path(folder, f"{number}-a.json"), Path(folder, f"{number}-b.json")
            for path in (a, b):
                measure(path, what or list(_QUICK), options.budget)
            same.add(*compare(a, b))
            seeded.add(*compare(a, slower(b, 1.05)))
            print(f"{number + 1}: held {same.held} of {same.rows}", file=sys.stderr, flush=True)
    print(f"{options.pairs} pairs, {same.rows} rows, {same.bounded} with an interval")
    print(f"the interval holds 1 in {same.held / same.rows:.1%} of rows")
    print(f"exit codes of the same against the same: {dict(same.codes)}")
    print(f"exit codes of 5 % more: {dict(seeded.codes)}")
    good = same.bounded == same.rows and same.held >= 0.92 * same.rows
    raise SystemExit(not (good and same.codes[1] == 0 and seeded.codes[1] == options.pairs))


if __name__ == "__main__":
    main()
