"""Shows that the instruction clock repeats, finds one per cent, and raises no alarm over nothing.

Measures services again and again, each time in a guest that is booted for it, while other processes
keep every other CPU busy. Prints

- each case's median in every run, and how far they lie apart;
- for each two runs the largest difference of a median, and how many are within 0.02 %;
- the verdicts of comparing each two (nothing has changed);
- the verdicts of adding rules worth one per cent of the path, each in a guest of its own.

Ends with 1 unless every median is within 0.1 %, most within 0.02 %, and every verdict is right.

    .venv/bin/python scripts/instruction_clock_known_answers.py [--boots 5] [--changes 10] [--quiet]
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cnbench.lab.guest import saved
from cnbench.lab.guest.build.images import built_userland
from cnbench.lab.guest.build.kernels import built_kernel
from cnbench.lab.guest.qemu import Hardware

CNBENCH = Path(sys.executable).with_name("cnbench")
SERVICES = 1000
# A rule passed costs some 25 instructions and the path some 85,000: these add one per cent.
ONE_PERCENT_MORE = SERVICES + 34
EXPERIMENT, KERNEL = "service-routing", "trixie"
# The bounds of a median's difference between two runs.
ALL_WITHIN, MOST_WITHIN = 0.001, 0.0002


def cnbench(*arguments: str) -> dict[str, Any]:
    """What a command prints as JSON, whatever its verdict."""
    done = subprocess.run(
        [CNBENCH, *arguments, "--json"], check=False, capture_output=True, text=True
    )
    if not done.stdout:
        raise SystemExit(done.stderr)
    answer: dict[str, Any] = json.loads(done.stdout)
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


def measure_boots(folder: Path, boots: int, modes: str) -> list[Path]:
    """The same run in ``boots`` guests, each of them booted for it."""
    files = [folder / f"boot-{number}.json" for number in range(1, boots + 1)]
    for file in files:
        boot_anew()
        cnbench(
            "run", EXPERIMENT, "-p", f"mode={modes}", "-p", f"services=1,{SERVICES}",
            "--clock", "instructions", "-o", str(file),
        )  # fmt: skip
    return files


def boot_anew() -> None:
    """Forget the saved states of the guest that is measured in."""
    kernel, userland = built_kernel(KERNEL), built_userland()
    if kernel is None or userland is None:
        raise SystemExit(f"needs: cnbench guest build --kernel {KERNEL}")
    saved.forget(kernel, userland, Hardware("instructions"))


def medians_of(file: Path) -> dict[str, float]:
    """Case to median."""
    medians = {}
    for row in cnbench("show", str(file))["rows"]:
        case = " ".join(str(row["params"][name]) for name in ("mode", "services", "position"))
        medians[case] = row["median"]
    return medians


def show_repeatability(files: Sequence[Path]) -> bool:
    """Print the medians, and how far each two runs lie apart; whether all keep the bounds."""
    runs = [medians_of(file) for file in files]
    for case in runs[0]:
        found = [medians[case] for medians in runs]
        spread = max(found) / min(found) - 1
        print(f"{case:24}", *(f"{median:10,.1f}" for median in found), f"{spread:8.3%}")
    kept = True
    for (one, these), (other, those) in itertools.combinations(enumerate(runs, 1), 2):
        apart = sorted(abs(these[case] / those[case] - 1) for case in these)
        near = sum(difference <= MOST_WITHIN for difference in apart)
        print(f"runs {one} and {other}: at most {apart[-1]:.3%}, {near} of {len(apart)} near")
        kept &= apart[-1] <= ALL_WITHIN and near > len(apart) / 2
    return kept


def verdicts_of_nothing(files: Sequence[Path]) -> Counter[str]:
    """The verdicts of comparing each two runs."""
    pairs = itertools.combinations(files, 2)
    return Counter(str(cnbench("compare", str(a), str(b))["verdict"]) for a, b in pairs)


def verdicts_of_one_per_cent(times: int) -> Counter[str]:
    """The verdicts of adding one per cent of rules, each in a guest of its own."""
    arguments = [
        "compare", EXPERIMENT, "-p", "mode=iptables", "-p", "position=last",
        "--vary", f"services={SERVICES},{ONE_PERCENT_MORE}", "--clock", "instructions",
    ]  # fmt: skip
    return Counter(str(cnbench(*arguments)["verdict"]) for _ in range(times))


def main() -> None:
    """Measure, print what was found, and end with 1 if it is not what it should be."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--boots", type=int, default=5)
    parser.add_argument("--changes", type=int, default=10)
    parser.add_argument("--modes", default="iptables,ipvs,nftables")
    parser.add_argument("--quiet", action="store_true", help="leave the other CPUs alone")
    options = parser.parse_args()
    busy = contextlib.nullcontext() if options.quiet else other_cpus_busy()
    with tempfile.TemporaryDirectory() as folder, busy:
        os.environ["CNBENCH_RESULTS"] = folder
        files = measure_boots(Path(folder), options.boots, options.modes)
        kept = show_repeatability(files)
        nothing = verdicts_of_nothing(files)
        print("\nverdicts of A against A:", dict(nothing))
        worse = verdicts_of_one_per_cent(options.changes)
        print("verdicts of 1 % more:", dict(worse))
    right = set(nothing) <= {"equivalent"} and set(worse) <= {"worse"}
    raise SystemExit(0 if kept and right else 1)


if __name__ == "__main__":
    main()
