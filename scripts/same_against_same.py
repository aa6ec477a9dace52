"""Shows what `cnbench compare` says of real runs of the same thing, and of a seeded change.

Measures a quick case again and again while the other CPU is kept busy, each run with three repeats,
and compares them two by two: an interval of 95 % should hold 1, and nothing be called worse. Then
every value of the second run of each pair is made 5 % larger, which is to be found beyond the
margin. Each comparison is made twice: by the pair's repeats alone, which know the spread between
runs by four degrees of freedom, and with the other pairs as the results folder has earlier runs.

The repeats of a pair are taken in turns, A B B A A B, each in a process of its own: what the
machine drifts by between the sides is then in what their repeats differ by. `--order sides` takes
all three of A and then all of B, as two calls of `cnbench run --repeat 3` do. Files that are in the
folder are not measured again, so a run that was stopped goes on. A quarter of an hour.

    .venv/bin/python scripts/same_against_same.py [--pairs 20] [--seconds 8] [--order turns]
        [--fail-on 2%] [--folder results/same] [EXPERIMENT -p ...]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cnbench.core.run import Sample
from cnbench.store import run_file

CNBENCH = Path(sys.executable).with_name("cnbench")
REPEATS = 3
# Balanced: a steady drift weighs on both sides alike.
TURNS = "ABBAAB"
_LEAST_HELD = 0.92
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

    @property
    def share(self) -> float:
        """How much of the rows held 1."""
        return self.held / self.rows if self.rows else 0.0


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


def repeats_of(path: Path) -> int:
    """How many repeats a run file has whole; 0 where there is none."""
    if not path.exists():
        return 0
    cases = run_file.read(path).cases
    return min((len({sample.repeat for sample in case.samples}) for case in cases), default=0)


def measure(path: Path, what: list[str], seconds: float, repeats: int) -> None:
    """Measure a run up to ``repeats``, unless it has them."""
    had = repeats_of(path)
    if had >= repeats:
        return
    if had:
        argv = [CNBENCH, "run", "--resume", path, "--repeat", str(repeats), "--json"]
    else:
        argv = [CNBENCH, "run", *what, "--budget", f"{seconds * repeats}s", "--repeat",
                str(repeats), "-o", path, "--force", "--json"]  # fmt: skip
    subprocess.run(argv, check=True, capture_output=True)


def measure_pair(a: Path, b: Path, what: list[str], seconds: float, order: str) -> None:
    """Three repeats of both, in turns or one side after the other."""
    if order == "sides":
        for path in (a, b):
            measure(path, what, seconds, REPEATS)
        return
    if repeats_of(a) != REPEATS or repeats_of(b) != REPEATS:
        for path in (a, b):
            path.unlink(missing_ok=True)
    for place, side in enumerate(TURNS):
        measure(a if side == "A" else b, what, seconds, TURNS[: place + 1].count(side))


def slower(path: Path, factor: float) -> Path:
    """A copy with all values ``factor`` times as large, in a folder where no run is looked for."""

    def times(samples: Sequence[Sample]) -> tuple[Sample, ...]:
        return tuple(
            replace(sample, values={name: v * factor for name, v in sample.values.items()})
            for sample in samples
        )

    run = run_file.read(path)
    run.cases = [
        replace(case, samples=times(case.samples), twin=times(case.twin)) for case in run.cases
    ]
    seeded = path.parent / "seeded" / path.name
    seeded.parent.mkdir(exist_ok=True)
    run_file.write(run, seeded)
    return seeded


def compare(a: Path, b: Path, margin: str, earlier: Path) -> tuple[dict[str, object], int]:
    """What `cnbench compare` prints, and its exit code; ``earlier`` is the results folder."""
    argv = [CNBENCH, "compare", a, b, "--fail-on", margin, "--json"]
    environment = os.environ | {"CNBENCH_RESULTS": str(earlier)}
    done = subprocess.run(argv, check=False, capture_output=True, text=True, env=environment)
    if done.returncode not in (0, 1, 3):
        raise SystemExit(done.stderr)
    return json.loads(done.stdout), done.returncode


def compared(pairs: Sequence[tuple[Path, Path]], margin: str, earlier: Path) -> list[Tally]:
    """All pairs as they are, and with the second of each 5 % larger."""
    same, seeded = Tally(), Tally()
    for a, b in pairs:
        same.add(*compare(a, b, margin, earlier))
        seeded.add(*compare(a, slower(b, 1.05), margin, earlier))
    return [same, seeded]


def main() -> None:
    """Measure, compare, and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=8, help="of one repeat's sampling")
    parser.add_argument("--order", choices=("turns", "sides"), default="turns")
    parser.add_argument("--fail-on", default="2%", metavar="MARGIN")
    parser.add_argument("--folder", type=Path, default=Path("results", "same"))
    options, what = parser.parse_known_args()
    folder = options.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    pairs = []
    began = time.monotonic()
    with busy_neighbour():
        for number in range(options.pairs):
            a, b = (folder / f"{options.order}-{number}-{side}.json" for side in "ab")
            measure_pair(a, b, what or list(_QUICK), options.seconds, options.order)
            pairs.append((a, b))
            told = f"pair {number + 1} of {options.pairs}, {time.monotonic() - began:.0f} s"
            print(told, file=sys.stderr, flush=True)
    print(f"{options.pairs} pairs in {options.order}, margin {options.fail_on}")
    good = True
    for name, earlier in (("by repeats alone", folder / "none"), ("with earlier runs", folder)):
        same, seeded = compared(pairs, options.fail_on, earlier)
        good &= same.bounded == same.rows and same.share >= _LEAST_HELD and not same.codes[1]
        good &= seeded.codes[1] == len(pairs)
        print(
            f"{name}: {same.bounded} of {same.rows} rows bounded, {same.share:.1%} hold 1"
            f" ({_LEAST_HELD:.0%} wanted); exit codes {dict(same.codes)} (no 1 wanted);"
            f" of 5 % more {dict(seeded.codes)} (all 1 wanted)",
            flush=True,
        )
    raise SystemExit(not good)


if __name__ == "__main__":
    main()
