"""Hold notices of kills against how many there were; exits with 1 if one is missed.

    .venv/bin/python scripts/oom_known_answers.py [KILLS]

As root, on a machine with cgroup v1's memory controller, runc and containerd; two minutes.

1. Of 1,000 kills one after another, the group's own notice loses none.
2. containerd tells of each kill that it is given time for: of 100, half a second apart, it loses
   none. How many of 1,000 one after another is shown.
3. So does the kernel's log, and of 1,000 one after another it loses most: the kernel reports ten in
   five seconds in full (the gate rings).
"""

from __future__ import annotations

import sys
import time

from cnbench.core.parameter import Point
from cnbench.experiments.oom_notice import EXPERIMENT
from cnbench.experiments.oom_notice.grid import CGROUP, EVENT, LOG
from cnbench.lab.host import Lab, open_lab

KILLS = 1000
_APART = 100
# Samples after which it says how far it is.
_TOLD = 20
_MOST = 0.5
_ALL_REPORTS = 5.5


def lost(lab: Lab, way: str, burst: int, samples: int) -> float:
    """The share of kills that nobody was told of."""
    point = Point({"way": way, "controller": "v1", "burst": burst})
    EXPERIMENT.require(point, lab)
    time.sleep(_ALL_REPORTS)  # what was killed before counts as well
    with lab.fresh_fixtures(), EXPERIMENT.subject(point, lab) as subject:
        shares = []
        for number in range(1, samples + 1):
            shares.append(subject.sample()["lost"])
            if number % _TOLD == 0:
                print(f"  {way}: sample {number} of {samples}", file=sys.stderr, flush=True)
        if not subject.proof().holds:
            sys.exit(f"{way}: {subject.proof().broken}")
    return sum(shares) / samples


def main() -> None:
    """Hold all of them."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else KILLS
    missed = False
    with open_lab("host", "wall") as lab:
        for way, burst, samples, low, high in (
            (CGROUP, kills, 1, 0.0, 0.0),
            (EVENT, 1, _APART, 0.0, 0.0),
            (EVENT, kills, 1, 0.0, 1.0),
            (LOG, 1, _APART, 0.0, 0.0),
            (LOG, kills, 1, _MOST, 1.0),
        ):
            share = lost(lab, way, burst, samples)
            holds = low <= share <= high
            missed |= not holds
            print(
                f"  {'ok    ' if holds else 'MISSED'} {way}, {samples} times {burst} kills: lost "
                f"{share:.1%}, which is to be within {low:.0%} and {high:.0%}",
                flush=True,
            )
    sys.exit(missed)


if __name__ == "__main__":
    main()
