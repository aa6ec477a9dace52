"""Shows what one more service costs in each mode: rules in a list cost, look-ups do not.

Measures the last of 1 to 1,000 services on the instruction clock, iptables, nftables and IPVS in
one kernel, beside the same over a node without rules, and on the wall clock the modes that this
kernel has. Then says whether

- iptables' slope is positive, and its interval excludes zero;
- those of nftables and IPVS are within one per cent of iptables' slope of zero;
- the modes rank alike on both clocks at the most services.

    .venv/bin/python scripts/service_known_answers.py [--counted RUN] [--timed RUN]

Runs that were measured before can be given instead.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from cnbench.analysis.chapters import chapters_of
from cnbench.analysis.curves.service_growth import Cost, costs_of
from cnbench.analysis.curves.service_routing import ServiceLine, lines_of
from cnbench.store import run_file

CNBENCH = Path(sys.executable).with_name("cnbench")
EXPERIMENT = "service-routing"
PATH = ["-p", "measure=connect", "-p", "endpoints=1", "-p", "position=first,last,bare"]
COUNTED = ["-p", "mode=iptables,nftables,ipvs", "-p", "services=1,10,100,1000",
           "--lab", "guest", "--clock", "instructions"]  # fmt: skip
TIMED = ["-p", "mode=iptables,nftables", "-p", "services=1,100,1000,10000", "--lab", "host"]
# What a look-up may add, as a share of what a rule in a list does.
FLAT = 0.01


def measured(arguments: Iterable[str], folder: Path, name: str) -> Path:
    """The file of a run with ``arguments``."""
    file = folder / f"{name}.json"
    subprocess.run([CNBENCH, "run", EXPERIMENT, *PATH, *arguments, "-o", str(file)], check=True)
    return file


def lines_in(file: Path) -> list[ServiceLine]:
    """The lines of the only setting of a run."""
    (chapter,) = (c for c in chapters_of([run_file.read(file)]) if c.name == EXPERIMENT)
    return lines_of(chapter.ok)


def show_slopes(lines: list[ServiceLine]) -> bool:
    """Print what one more service adds in each mode; whether it is as it should be."""
    costs = {cost.line.mode: cost for cost in costs_of(lines) if cost.line.position == "last"}
    rule = costs.pop("iptables").per_service
    good = rule.low > 0
    print(
        f"iptables: {rule.estimate:.3f} [{rule.low:.3f}, {rule.high:.3f}] {_unit(lines)} a service"
    )
    print(f"  above zero, with all of its interval: {good}")
    for mode, cost in costs.items():
        good &= show_flat(mode, cost, rule.estimate)
    return good


def show_flat(mode: str, cost: Cost, rule: float) -> bool:
    """Print a slope as a share of a rule's; whether all of its interval is next to nothing."""
    slope = cost.per_service
    shares = [end / rule for end in (slope.estimate, slope.low, slope.high)]
    flat = max(map(abs, shares)) < FLAT
    print(
        f"{mode}: {slope.estimate:.3f}, {shares[0]:.2%} [{shares[1]:.2%}, {shares[2]:.2%}] of that"
    )
    print(f"  within {FLAT:.0%} of zero, with all of its interval: {flat}")
    return flat


def ranking(lines: list[ServiceLine], modes: set[str]) -> list[str]:
    """The modes by what the last of the most services costs, the cheapest first."""
    last = {
        line.mode: line.points[-1][2].interval
        for line in lines
        if line.position == "last" and line.mode in modes
    }
    return sorted((m for m, one in last.items() if one), key=lambda m: last[m].estimate)  # type: ignore[union-attr]


def _unit(lines: list[ServiceLine]) -> str:
    return lines[0].points[0][2].unit


def main() -> int:
    """Measure what was not given, and say what it shows."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--counted", type=Path, help="a run on the instruction clock")
    parser.add_argument("--timed", type=Path, help="a run on the wall clock")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counted = lines_in(options.counted or measured(COUNTED, Path(folder), "counted"))
        timed = lines_in(options.timed or measured(TIMED, Path(folder), "timed"))
    good = show_slopes(counted)
    modes = {line.mode for line in counted} & {line.mode for line in timed}
    ranks = [ranking(lines, modes) for lines in (counted, timed)]
    print(f"cheapest first, counted: {', '.join(ranks[0])}; timed: {', '.join(ranks[1])}")
    return 0 if good and ranks[0] == ranks[1] else 1


if __name__ == "__main__":
    sys.exit(main())
