"""Hold copy-up against answers that are known beforehand; exits with 1 if one is missed.

    .venv/bin/python scripts/copy_up_known_answers.py

As root, on a machine that does nothing else; under a minute. What is known without measuring: on
tmpfs a copy-up is a copy, so it takes what a plain loop takes; where extents are shared, or the
data is left below, the size does not matter; and data left below comes up at the first write.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cnbench.core.errors import CnbenchError
from cnbench.experiments.copy_up import EXPERIMENT
from cnbench.experiments.copy_up.stage import open_stage, read_through
from cnbench.experiments.copy_up.subject import CopyUpSubject
from cnbench.lab.host import Lab, open_lab
from cnbench.stats.intervals import median_interval
from cnbench.stats.scaling import LinearFit, linear_fit

MIB = 2**20
SIZES = (4096, MIB, 16 * MIB, 64 * MIB)
LOOP_ROUNDS, FIT_ROUNDS = 80, 12
# What the issue allows: of the loop's time, and of ext4's cost a byte.
AGREES, FLAT = 0.05, 0.01
METACOPY = {"filesystem": "ext4", "trigger": "chmod", "options": "metacopy"}


@contextmanager
def subject(lab: Lab, **changes: str | int) -> Iterator[CopyUpSubject]:
    """The quick point with ``changes``, warmed up by one sample, and proven at the end."""
    params = EXPERIMENT.grid(full=False, given={name: (v,) for name, v in changes.items()})[0]
    with EXPERIMENT.subject(params, lab) as opened:
        if not isinstance(opened, CopyUpSubject):
            raise TypeError("copy-up did not give a subject of its own")
        opened.sample()
        yield opened
        proof = opened.proof()
        if not proof.holds:
            raise SystemExit(f"not proven: {proof.broken}")
        ways = [c.observed for c in proof.checks if c.claim == "the data at the first write"]
        for way in ways:
            print(f"        left below by {opened.setting.trigger}, and at the first write: {way}")


def plain_loop(source: Path, target: Path) -> float:
    """Seconds in which a file is copied piece by piece, as plainly as that can be written."""
    began = time.perf_counter()
    with source.open("rb") as reading, target.open("xb") as writing:
        while os.sendfile(writing.fileno(), reading.fileno(), None, MIB):
            pass
        os.fsync(writing.fileno())
        return time.perf_counter() - began


def tmpfs_is_a_plain_copy(lab: Lab) -> bool:
    """On tmpfs with 64 MiB, the latency over the time of the loop above, in turns."""
    ratios = []
    with (
        lab.fresh_fixtures(),
        subject(lab, filesystem="tmpfs", size=64 * MIB, trigger="open") as ours,
    ):

        def copy_up() -> float:
            return ours.sample()["latency"]

        def loop() -> float:
            with open_stage(ours.setting, ours.lower, ours.upper) as stage:
                read_through(stage.original)
                return plain_loop(stage.original, stage.plain / "copy")

        for turn in range(LOOP_ROUNDS):
            first, second = (copy_up, loop) if turn % 2 else (loop, copy_up)
            took = {first: first(), second: second()}
            ratios.append(took[copy_up] / took[loop])
    ratio = median_interval(ratios)
    low, high = statistics.quantiles(ratios, n=4)[::2]
    print(
        f"        tmpfs, 64 MiB: latency over a plain loop's {ratio.estimate:.3f} "
        f"(95 %: {ratio.low:.3f} to {ratio.high:.3f}; half of all {low:.3f} to {high:.3f})"
    )
    return abs(ratio.estimate - 1) < AGREES


def fitted(lab: Lab, **changes: str) -> LinearFit:
    """The latency as a fixed part and a part per byte."""
    latencies: dict[int, list[float]] = {size: [] for size in SIZES}
    with lab.fresh_fixtures(), ExitStack() as opened:
        subjects = {s: opened.enter_context(subject(lab, size=s, **changes)) for s in SIZES}
        for _ in range(FIT_ROUNDS):
            for size, ours in subjects.items():
                latencies[size].append(ours.sample()["latency"])
    fit = linear_fit(SIZES, list(latencies.values()))
    slope = fit.per_unit.map(lambda seconds: seconds * MIB * 1e6)
    print(
        f"        {', '.join(changes.values())}: {fit.fixed.estimate * 1e6:.0f} µs "
        f"+ {slope.estimate:.3g} µs/MiB (95 %: {slope.low:.3g} to {slope.high:.3g})"
    )
    return fit


def main() -> int:
    """Print what was measured, and whether it is what is known."""
    with open_lab("host", "wall") as lab:
        agrees = tmpfs_is_a_plain_copy(lab)
        ext4 = fitted(lab, filesystem="ext4", trigger="open")

        def is_flat(**changes: str) -> bool:
            return fitted(lab, **changes).per_unit.high < FLAT * ext4.per_unit.low

        answers = {
            "on tmpfs a copy-up takes what a plain loop takes, within 5 %": agrees,
            "on xfs, which shares extents, a byte costs less than 1 % of ext4's": is_flat(
                filesystem="xfs", trigger="open"
            ),
            "so it does on btrfs": is_flat(filesystem="btrfs", trigger="open"),
            "so it does on ext4 for chmod with metacopy": is_flat(**METACOPY),
        }
    for claim, holds in answers.items():
        print(f"{'holds ' if holds else 'MISSED'}  {claim}")
    return 0 if all(answers.values()) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CnbenchError as error:
        sys.exit(f"{error}; {error.remedy}")
