"""``make torture``: odd input of every kind, then random deaths, for as long as is given.

What is printed is what ``docs/reliability.md`` has. The exit code is 1 if anything did not hold.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

for beside in ("lab", "report"):
    sys.path.append(str(Path(__file__).parent.parent / beside))

import fuzz  # noqa: E402  found where the path now leads
import kills  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--for", dest="seconds", type=seconds, default=20 * 60, metavar="TIME")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--only", choices=["kills", "stops", "fuzz"], default=None)
    parser.add_argument("--count", type=int, default=10**6, help="of deaths, at most")
    parser.add_argument("--kind", action="append", help="of input; all where none is given")
    parser.add_argument("--inputs", type=int, default=300, help="of each kind, in this process")
    parser.add_argument("--processes", type=int, default=10, help="and by processes of their own")
    parser.add_argument("--guest", type=float, default=0.1, help="share of trials in a guest")
    parser.add_argument(
        "--run", action="append", choices=sorted(kills.HOST_RUNS | kills.NAMED_RUNS),
        metavar="EXPERIMENT",
        help="of the host's runs that are killed; all that need no build where none is given",
    )  # fmt: skip
    parser.add_argument("--ignore", metavar="REGEX", help="what others change on this machine")
    parser.add_argument("--log", type=Path, default=None)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    ends = time.monotonic() + given.seconds
    print(f"seed {given.seed}")
    broken = 0
    if given.only in (None, "fuzz"):
        broken += torture_by_fuzz(given, rng)
    if given.only != "fuzz":
        broken += torture_by_kills(given, rng, ends)
    sys.exit(1 if broken else 0)


def torture_by_kills(given, rng, ends):
    kinds = ("ask",) if given.only == "stops" else ("kill", "ask", "child")
    totals = Counter()
    broken = 0
    all_runs = kills.HOST_RUNS | kills.NAMED_RUNS
    ours = {name: all_runs[name] for name in given.run or kills.HOST_RUNS}
    while time.monotonic() < ends and totals["landed"] < given.count:
        runs = kills.GUEST_RUNS if rng.random() < given.guest else ours
        death = kills.carry_out(kills.random_death(rng, runs, kinds), runs, given.ignore)
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


def torture_by_fuzz(given, rng):
    broken = 0
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        tested = fuzz.Fuzz(Path(folder), fuzz.a_run())
        for call, count in ((fuzz.here, given.inputs), (fuzz.as_a_process, given.processes)):
            for kind in (given.kind or tested.inputs) if count else ():
                found = tested.fuzz(kind, count, call, rng.randrange(2**32))
                print(f"{kind}, {call.__name__}: {found.inputs} inputs, "
                      f"{len(found.faults)} faults, slowest {found.slowest:.1f} s, "
                      f"{found.mebibytes} MiB, "
                      f"exit codes {dict(found.codes)}", flush=True)  # fmt: skip
                print(*found.faults[:5], sep="\n", end="", flush=True)
                broken += len(found.faults)
        tested.close()
    return broken


def seconds(text):
    number, unit = float(text.rstrip("smh")), text[-1]
    return number * {"s": 1, "m": 60, "h": 3600}.get(unit, 1)


if __name__ == "__main__":
    main()
