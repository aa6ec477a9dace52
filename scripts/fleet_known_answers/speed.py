"""How much sooner four workers are done than one."""

from __future__ import annotations

import random
import time
from pathlib import Path

from fleet_known_answers.in_namespaces import FleetInNamespaces, fleet_in_namespaces, said_by
from fleet_known_answers.runs import WITHIN, counted, furthest, medians

GROUPS = 40
WORKERS = 4
AT_LEAST = 1.8


def speed(folder: Path, _: random.Random) -> bool:
    """Whether 40 groups take four workers less than 1/1.8 of the time of one, and are equal."""
    with fleet_in_namespaces(WORKERS, folder) as fleet:
        # What all guests begin from is made once, by whoever comes first.
        one = fleet.start_worker(0, "--jobs", "1", processors="0")
        said_by(one, "is ready")
        _seconds(fleet, folder / "first.jsonl", 1)
        alone = _seconds(fleet, folder / "one.jsonl", GROUPS)
        one.terminate()
        one.wait()
        for worker in [fleet.start_worker(at, "--jobs", "1") for at in range(WORKERS)]:
            said_by(worker, "is ready")
        together = _seconds(fleet, folder / "four.jsonl", GROUPS)
    apart = furthest(medians(folder / "one.jsonl"), medians(folder / "four.jsonl"))
    ratio = alone / together
    print(
        f"{GROUPS} groups: one worker on one processor {alone:.0f} s, {WORKERS} workers"
        f" {together:.0f} s: {ratio:.2f} times as fast (at least {AT_LEAST});"
        f" medians differ by {apart:.3%} at most (less than {WITHIN:.2%})"
    )
    return ratio >= AT_LEAST and apart < WITHIN


def _seconds(fleet: FleetInNamespaces, path: Path, groups: int) -> float:
    """How long the fleet takes to set up and to count that many groups."""
    began = time.monotonic()
    done = fleet.run(*counted(groups), "--anew", "-o", str(path))
    if done.returncode:
        raise SystemExit(f"the fleet ended with {done.returncode}:\n{done.stderr}")
    return time.monotonic() - began
