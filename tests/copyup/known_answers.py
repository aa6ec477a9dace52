"""copy-up against answers known from elsewhere; timed, so it is run by hand and not by pytest.

.venv/bin/python tests/copyup/known_answers.py
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from cnbench.experiments.copy_up import EXPERIMENT
from cnbench.experiments.copy_up.subject import CopyUpSubject
from cnbench.lab.host import Lab, open_lab
from cnbench.probes.copyup.stage import open_stage, read_through
from cnbench.stats.scaling import LinearFit, linear_fit

MIB = 2**20
SIZES = (4096, MIB, 16 * MIB, 64 * MIB)
COMMON = {"content": "data", "lower": "same", "driver": "overlay", "trigger": "open",
          "options": "default", "cache": "warm", "layers": 1, "depth": 0}  # fmt: skip


@contextmanager
def subject(lab: Lab, **changes: object) -> Iterator[CopyUpSubject]:
    """A proven subject, warmed up by one sample."""
    with EXPERIMENT.subject(COMMON | changes, lab) as opened:
        opened.sample()
        yield opened
        assert opened.proof().holds, opened.proof().broken


def plain_loop(source: str, target: str) -> float:
    """Seconds in which a file is copied piece by piece, as plainly as that can be written."""
    began = time.perf_counter()
    with open(source, "rb") as reading, open(target, "xb") as writing:  # noqa: PTH123
        while os.sendfile(writing.fileno(), reading.fileno(), None, MIB):
            pass
        os.fsync(writing.fileno())
        return time.perf_counter() - began


def tmpfs_is_a_plain_copy(lab: Lab, rounds: int = 60) -> bool:
    """On tmpfs with 64 MiB, the latency agrees within 5 % with the loop above."""
    latencies, plains = [], []
    with lab.fresh_fixtures(), subject(lab, filesystem="tmpfs", size=64 * MIB) as ours:
        for turn in range(rounds):
            latency = ours.sample()["latency"] if turn % 2 else 0.0
            with open_stage(ours.setting, ours.lower, ours.upper) as stage:
                read_through(stage.original)
                plain = plain_loop(str(stage.original), str(stage.plain / "copy"))
            latencies.append(latency or ours.sample()["latency"])
            plains.append(plain)
    ratios = [latency / plain for latency, plain in zip(latencies, plains, strict=True)]
    ratio = statistics.median(ratios)
    low, high = statistics.quantiles(ratios, n=4)[::2]
    print(
        f"tmpfs, 64 MiB: latency over a plain loop's {ratio:.3f} (quartiles {low:.3f}, {high:.3f}; "
        f"of the quickest of each {min(latencies) / min(plains):.3f})"
    )
    return abs(ratio - 1) < 0.05


def fitted(lab: Lab, rounds: int = 12, **changes: object) -> LinearFit:
    """The latency as a fixed part and a part per byte."""
    latencies: dict[int, list[float]] = {size: [] for size in SIZES}
    with lab.fresh_fixtures(), ExitStack() as opened:
        subjects = {s: opened.enter_context(subject(lab, size=s, **changes)) for s in SIZES}
        for _ in range(rounds):
            for size, ours in subjects.items():
                latencies[size].append(ours.sample()["latency"])
    fit = linear_fit(SIZES, list(latencies.values()))
    print(
        f"{changes}: {fit.fixed.estimate * 1e6:.0f} µs + {fit.per_unit.estimate * MIB * 1e6:.3g} "
        f"µs/MiB (95 %: {fit.per_unit.low * MIB * 1e6:.3g} to {fit.per_unit.high * MIB * 1e6:.3g})"
    )
    return fit


def is_flat(fit: LinearFit, against: LinearFit) -> bool:
    """Whether the slope may well be less than 1 % of another's."""
    return fit.per_unit.low < 0.01 * against.per_unit.estimate


if __name__ == "__main__":
    with open_lab("host", "wall") as lab:
        agrees = tmpfs_is_a_plain_copy(lab)
        ext4 = fitted(lab, filesystem="ext4")
        answers = {
            "tmpfs agrees with a plain loop within 5 %": agrees,
            "xfs with reflink is flat": is_flat(fitted(lab, filesystem="xfs"), ext4),
            "btrfs is flat": is_flat(fitted(lab, filesystem="btrfs"), ext4),
            "metacopy's chmod is flat on ext4": is_flat(
                fitted(lab, filesystem="ext4", trigger="chmod", options="metacopy"), ext4
            ),
        }
    for claim, holds in answers.items():
        print(f"{'yes' if holds else 'NO '}  {claim}")
    sys.exit(not all(answers.values()))
