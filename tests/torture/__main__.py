"""``make torture``: everything in this folder, for as long as is given."""

import argparse
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "lab"))

import kills


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--for", dest="seconds", type=seconds, default=20 * 60, metavar="TIME")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--only", choices=["kills", "stops", "fuzz"], default=None)
    parser.add_argument("--count", type=int, default=10**6)
    parser.add_argument("--guest", type=float, default=0.1, help="share of trials in a guest")
    parser.add_argument("--log", type=Path, default=None)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    ends = time.monotonic() + given.seconds
    print(f"seed {given.seed}")
    broken = torture_by_kills(given, rng, ends)
    sys.exit(1 if broken else 0)


def torture_by_kills(given, rng, ends):
    kinds = ("ask",) if given.only == "stops" else ("kill", "ask", "child")
    totals = Counter()
    broken = 0
    while time.monotonic() < ends and totals["landed"] < given.count:
        runs = kills.GUEST_RUNS if rng.random() < given.guest else kills.HOST_RUNS
        death = kills.carry_out(kills.random_death(rng, runs, kinds), runs)
        totals["trials"] += 1
        totals["landed"] += death.landed
        totals["asked"] += death.asks and death.landed
        totals["left something though asked"] += bool(death.asks and death.leaks_before_gc)
        totals["leaks after gc"] += bool(death.leaks)
        totals["unreadable"] += bool(death.unreadable)
        totals["swallowed"] += death.swallowed
        totals["host differences"] += bool(death.differences)
        if given.log:
            with given.log.open("a") as log:
                log.write(json.dumps(vars(death)) + "\n")
        if death.broken:
            broken += 1
            print(death, flush=True)
    print(json.dumps(totals, indent=1))
    return broken


def seconds(text):
    number, unit = float(text.rstrip("smh")), text[-1]
    return number * {"s": 1, "m": 60, "h": 3600}.get(unit, 1)


if __name__ == "__main__":
    main()
