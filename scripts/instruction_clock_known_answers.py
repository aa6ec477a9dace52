"""Shows that the instruction clock repeats, finds one per cent, and raises no alarm over nothing.

Measures a service at the end of 1,000 again and again, each time in a guest of its own, while other
processes keep every other CPU busy. Prints

- how far each case's median lies from the case's median over all boots;
- the verdicts of comparing each boot with the next (nothing has changed);
- the verdicts of adding rules worth one per cent of the path, boot by boot.

    .venv/bin/python scripts/instruction_clock_known_answers.py [--boots 11] [--quiet]
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

CNBENCH = Path(sys.executable).with_name("cnbench")
SERVICES = 1000
# A rule passed costs some 25 instructions and the path some 85,000: these add one per cent.
ONE_PERCENT_MORE = SERVICES + 34
PATH = ["service-routing", "-p", "measure=connect", "-p", "position=last"]


def cnbench(*arguments: str) -> dict[str, object]:
    """What a command prints as JSON, whatever its verdict."""
    done = subprocess.run(
        [CNBENCH, *arguments, "--json"], check=False, capture_output=True, text=True
    )
    if not done.stdout:
        raise SystemExit(done.stderr)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def spin() -> None:
    """Keep a CPU busy for ever."""
    while True:
        pass


@contextlib.contextmanager
def other_cpus_busy() -> Iterator[None]:
    """All CPUs but one are busy inside."""
    busy = [multiprocessing.Process(target=spin, daemon=True) for _ in range(_cpus() - 1)]
    for process in busy:
        process.start()
    try:
        yield
    finally:
        for process in busy:
            process.kill()


def _cpus() -> int:
    return len(os.sched_getaffinity(0))


def measure_boots(folder: Path, boots: int) -> list[Path]:
    """The same run in ``boots`` guests."""
    files = [folder / f"boot-{number}.json" for number in range(boots)]
    for file in files:
        cnbench(
            "run", *PATH, "-p", f"services={SERVICES}", "-p", "mode=iptables,nftables",
            "--clock", "instructions", "-o", str(file),
        )  # fmt: skip
    return files


def show_repeatability(files: Sequence[Path]) -> None:
    """Print how far the medians of each case lie apart."""
    medians: dict[str, list[float]] = {}
    for file in files:
        for row in cnbench("show", str(file))["rows"]:  # type: ignore[attr-defined]
            medians.setdefault(str(row["params"]), []).append(row["median"])
    for case, found in medians.items():
        centre = statistics.median(found)
        apart = sorted(abs(median / centre - 1) for median in found)
        print(f"{case}\n  {len(found)} boots, medians around {centre:,.0f} instructions:")
        print(f"  half of them within {statistics.median(apart):.4%}, all within {apart[-1]:.4%}")


def verdicts_of_nothing(files: Sequence[Path]) -> Counter[str]:
    """The verdicts of comparing each boot with the next."""
    pairs = itertools.pairwise(files)
    return Counter(str(cnbench("compare", str(a), str(b))["verdict"]) for a, b in pairs)


def verdicts_of_one_per_cent(times: int) -> Counter[str]:
    """The verdicts of adding one per cent of rules, each in a guest of its own."""
    vary = f"services={SERVICES},{ONE_PERCENT_MORE}"
    arguments = ["compare", *PATH, "-p", "mode=iptables", "--vary", vary, "--clock", "instructions"]
    return Counter(str(cnbench(*arguments)["verdict"]) for _ in range(times))


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--boots", type=int, default=11)
    parser.add_argument("--quiet", action="store_true", help="leave the other CPUs alone")
    options = parser.parse_args()
    busy = contextlib.nullcontext() if options.quiet else other_cpus_busy()
    with tempfile.TemporaryDirectory() as folder, busy:
        os.environ["CNBENCH_RESULTS"] = folder
        files = measure_boots(Path(folder), options.boots)
        show_repeatability(files)
        print("\nverdicts of A against A:", dict(verdicts_of_nothing(files)))
        print("verdicts of 1 % more:", dict(verdicts_of_one_per_cent(options.boots - 1)))


if __name__ == "__main__":
    main()
