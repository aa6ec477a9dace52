"""Shows that what a namespace costs repeats from boot to boot; exits with 1 if it does not.

Counts what making and ending a namespace of each kind executes, each time in a guest that is booted
for it, and prints the medians and how far they lie apart: at most 0.1 %, and 0.5 % where there is a
network namespace among them, which a worker takes down beside everything else.

    .venv/bin/python scripts/namespace_instructions_known_answers.py [--boots 5]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from instruction_clock_known_answers import KERNEL, boot_anew, cnbench

# Of real time: some six blocks, which is plenty where most are equal.
BUDGET = "90s"
WITHIN, WITHIN_OF_NETWORK = 0.001, 0.005


def medians_of_a_boot(file: Path) -> dict[tuple[str, str], float]:
    """Kind and metric to median, in a guest that is booted for it."""
    boot_anew()
    cnbench(
        "run", "namespaces", "-p", "call=clone3", "--clock", "instructions", "--kernel", KERNEL,
        "--budget", BUDGET, "-o", str(file),
    )  # fmt: skip
    rows = cnbench("show", str(file))["rows"]
    return {(row["params"]["kind"], row["metric"]): row["median"] for row in rows}


def main() -> None:
    """Measure, print what was found, and end with 1 if it is not what it should be."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--boots", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CNBENCH_RESULTS"] = folder
        files = [Path(folder, f"boot-{number}.json") for number in range(options.boots)]
        boots = [medians_of_a_boot(file) for file in files]
    missed = False
    for kind, metric in sorted(boots[0]):
        found = [medians[kind, metric] for medians in boots]
        spread = max(found) / min(found) - 1
        within = WITHIN_OF_NETWORK if kind in ("net", "all") else WITHIN
        missed |= spread > within
        verdict = "ok" if spread <= within else "MISSED"
        numbers = " ".join(f"{median:11,.1f}" for median in found)
        print(f"  {verdict:6} {kind:7} {metric:8} {numbers} {spread:8.3%}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
