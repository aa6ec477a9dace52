"""Published figures on what a burst saves a service that stays below its quota."""

from __future__ import annotations

from cnbench.analysis.published.figure import RATIO, Figure
from cnbench.analysis.published.ours import ratio_of

_LKML_WITHOUT_US, _LKML_WITH_US = 933, 12

PUBLISHED = (
    Figure(
        "cpu-burst",
        "latency with a burst over without",
        f"schbench, quota 700 ms, burst 400 ms: p99 {_LKML_WITHOUT_US} to {_LKML_WITH_US} µs",
        _LKML_WITH_US / _LKML_WITHOUT_US,
        _LKML_WITH_US / _LKML_WITHOUT_US,
        RATIO,
        "LKML, 2020-12-17",
        ratio_of("stall", {"burst": 1.0}, {"burst": 0.0}),
        unlike=(
            "theirs is the 99th percentile of wake-ups, ours the longest wait of a request",
            "seven CPUs there, less than one here",
        ),
    ),
)
