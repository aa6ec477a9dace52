"""What is in a run whose workers were killed."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from fleet_known_answers.in_namespaces import (
    FleetInNamespaces,
    Process,
    fleet_in_namespaces,
    said_by,
)
from fleet_known_answers.runs import WITHIN, counted, furthest, medians, times_told

GROUPS = 8
WORKERS = 4
KILLS = 20


def kills(folder: Path, chance: random.Random, count: int = KILLS) -> bool:
    """Whether every case is there after each of ``count`` kills, once, and as without one."""
    with fleet_in_namespaces(WORKERS, folder) as fleet:
        workers = [fleet.start_worker(at, "--jobs", "1") for at in range(WORKERS)]
        for worker in workers:
            said_by(worker, "is ready")
        _run(fleet, folder / "first.jsonl")  # sets up, and saves
        began = time.monotonic()
        whole = _run(fleet, folder / "whole.jsonl")
        took = time.monotonic() - began
        fine, again = True, 0
        for kill in range(count):
            at = chance.randrange(WORKERS)
            path = folder / f"{kill}.jsonl"
            said = _run_and_kill(fleet, path, workers[at], chance.uniform(0, took))
            again += "measures its group again" in said
            found, told = medians(path), times_told(path)
            once = set(told.values()) == {1} and len(told) == GROUPS
            apart = furthest(found, whole)
            fine &= once and apart < WITHIN
            print(f"kill {kill + 1}: {len(found)} cases, {'once' if once else told}, {apart:.3%}")
            workers[at] = fleet.start_worker(at, "--jobs", "1")
            said_by(workers[at], "is ready")
    left = _left_running(folder)
    print(f"{again} of {count} kills fell into a group; {len(left)} processes left: {left}")
    return fine and not left and again > 0


def _run(fleet: FleetInNamespaces, path: Path) -> dict[str, float]:
    done = fleet.run(*counted(GROUPS), "-o", str(path))
    if done.returncode:
        raise SystemExit(f"the fleet ended with {done.returncode}:\n{done.stderr}")
    return medians(path)


def _run_and_kill(fleet: FleetInNamespaces, path: Path, victim: Process, after: float) -> str:
    """What `fleet run` says on stderr if ``victim`` is killed ``after`` some seconds of it."""
    with fleet.begun(*counted(GROUPS), "-o", str(path)) as run:
        time.sleep(after)
        victim.kill()
        said = run.communicate()[1]
    if run.returncode:
        raise SystemExit(f"the fleet ended with {run.returncode}:\n{said}")
    return said


def _left_running(folder: Path) -> list[str]:
    """The processes whose results were to go to ``folder``."""
    mark = f"CNBENCH_RESULTS={folder}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.name != str(os.getpid()) and mark in (process / "environ").read_bytes():
                found.append((process / "comm").read_text().strip())
        except OSError:
            continue
    return found
