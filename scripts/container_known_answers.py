"""Hold container starts against answers that are known beforehand; exits with 1 if one is missed.

    .venv/bin/python scripts/container_known_answers.py [PAIRS]

As root, on a quiet machine with runc and hyperfine (both of Debian); a minute.

`runc run` from call to exit is the same thing under cnbench and under `hyperfine -N`: 200 pairs of
medians in turn, each of five runs one behind the other, the ratio's 95 % interval lies within 0.95
and 1.05. One run alone differs by 40 % from the next, since the kernel lets a change of cgroups
wait for its other work: 200 pairs of those know the ratio to 5 % only. The gate rings: were each of
ours a tenth longer, it would not.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from statistics import median

import numpy as np

from cnbench.containers import bundle
from cnbench.containers.bundle import Wanted
from cnbench.containers.enclave import Enclave, open_enclave
from cnbench.containers.runtimes import Files, open_files
from cnbench.lab.host import open_lab
from cnbench.stats.intervals import Interval
from cnbench.stats.signed_rank import pseudomedian_interval

PAIRS = 200
RUNS = 5
# What the first few of either show is how the machine warms up.
_WARM_UP = 5
# Pairs after which it says how far it is.
_TOLD = 20
_SAME = (0.95, 1.05)
_LONGER = 0.1


def in_turns(one: Callable[[], float], other: Callable[[], float], pairs: int) -> list[list[float]]:
    """What each gives, in pairs: one other, other one, and so on (ABBA)."""
    taken: dict[Callable[[], float], list[float]] = {one: [], other: []}
    for pair in range(-_WARM_UP, pairs):
        for each in (one, other) if pair % 2 else (other, one):
            value = each()
            if pair >= 0:
                taken[each].append(value)
        if pair >= 0 and (pair + 1) % _TOLD == 0:
            print(f"  pair {pair + 1} of {pairs}", file=sys.stderr, flush=True)
    return [taken[one], taken[other]]


def beside_hyperfine(enclave: Enclave, files: Files, pairs: int) -> list[list[float]]:
    """The medians of a few runs of the same command, by us and by hyperfine, in seconds."""
    asked = bundle.specification(Wanted(), files.root, f"{enclave.group}/same", files.extra)
    asked["process"]["args"] = ["/bin/busybox", "true"]
    folder = enclave.folder / "same"
    bundle.write(folder, asked)
    argv = ["runc", "--root", "/run/same", "run", "--bundle", str(folder), "same"]
    report = enclave.folder / "hyperfine.json"

    def ours() -> float:
        return median(enclave.run(*argv).took / 1e9 for _ in range(RUNS))

    def theirs() -> float:
        runs = ("--runs", str(RUNS), "--export-json", str(report))
        enclave.run("hyperfine", "-N", *runs, " ".join(argv))
        return float(json.loads(report.read_text())["results"][0]["median"])

    return in_turns(ours, theirs, pairs)


def same(ours: list[float], theirs: list[float]) -> tuple[Interval, bool]:
    """The ratio of each pair's two with its interval, and whether they are alike.

    By signed ranks of its logarithm, which is symmetric where both are alike; of normal noise that
    is narrower by 18 % than by signs alone.
    """
    ratio = pseudomedian_interval(np.log(ours) - np.log(theirs)).map(math.exp)
    return ratio, _SAME[0] <= ratio.low and ratio.high <= _SAME[1]


def main() -> None:
    """Hold it, and show that it can be missed."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS
    with (
        open_lab("host", "wall") as lab,
        open_enclave(lab) as enclave,
        open_files(enclave) as files,
    ):
        ours, theirs = beside_hyperfine(enclave, files, pairs)
    ratio, alike = same(ours, theirs)
    print(
        f"  runc run, {pairs} pairs of {RUNS}: ours {median(ours) * 1e3:.1f} ms, "
        f"hyperfine's {median(theirs) * 1e3:.1f} ms"
    )
    word = "ok    " if alike else "MISSED"
    print(f"  {word} ours over hyperfine's: within {_SAME}, found {_told(ratio)}")
    longer, unnoticed = same([value * (1 + _LONGER) for value in ours], theirs)
    word = "MISSED" if unnoticed else "ok    "
    print(f"  {word} a tenth more is noticed: outside of {_SAME}, found {_told(longer)}")
    sys.exit(not alike or unnoticed)


def _told(ratio: Interval) -> str:
    return f"{ratio.estimate:.3f} [{ratio.low:.3f} to {ratio.high:.3f}]"


if __name__ == "__main__":
    main()
