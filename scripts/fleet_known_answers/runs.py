"""Runs of counted groups, and whether two of them have the same in them."""

from __future__ import annotations

import statistics
from pathlib import Path

from cnbench.store import run_file

# Guests that were booted apart differ by 0.062 % at most; see docs/architecture.md.
WITHIN = 0.001


def counted(groups: int) -> tuple[str, ...]:
    """Options of a plan of that many groups, of one case and its A' each."""
    services = ",".join(str(number) for number in range(1, groups + 1))
    return (
        *("service-routing", "-p", "mode=iptables", "-p", "measure=connect"),
        *("-p", f"services={services}", "-p", "position=first", "-p", "probes=20"),
        *("--clock", "instructions"),
    )


def medians(path: Path) -> dict[str, float]:
    """The median of each case of a run, all of which were measured.

    Raises:
        SystemExit: one was not.
    """
    cases = run_file.read(path).cases
    if failed := [case for case in cases if case.status != "ok"]:
        raise SystemExit(f"{path}: {failed[0].case.key}: {failed[0].reason}")
    return {
        case.case.key: statistics.median(sample.values["connect"] for sample in case.samples)
        for case in cases
    }


def times_told(path: Path) -> dict[str, int]:
    """How many records a run file has of each case."""
    told: dict[str, int] = {}
    for line in path.read_bytes().splitlines():
        if line.startswith(b'{"result"'):
            key = line.partition(b'"group"')[0].decode()
            told[key] = told.get(key, 0) + 1
    return told


def furthest(one: dict[str, float], other: dict[str, float]) -> float:
    """By how much any case of one differs from the same of the other, as a share.

    Raises:
        SystemExit: they are not of the same cases.
    """
    if one.keys() != other.keys():
        raise SystemExit(f"{len(one)} and {len(other)} cases: {sorted(one.keys() ^ other.keys())}")
    return max(abs(one[key] / other[key] - 1) for key in one)
