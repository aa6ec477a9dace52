"""Hold a fleet of four workers against what is known beforehand; exits with 1 if it is missed.

    .venv/bin/python scripts/fleet_known_answers [speed] [kills] [between] [jobs]

As root, on a machine of two processors that does nothing else; a quarter of an hour. The scheduler
and each worker are in network namespaces that are made here.

- `speed`: 40 counted groups take four workers less than 1/1.8 of the time that one worker takes
  which is held to one processor, and come out equal.
- `kills`: a worker is killed (SIGKILL) at 20 random moments, each of another run. Every case is
  there each time, none is there twice, all come out equal, and nothing is left running.
- `between`: what node-network measures between two nodes that a veth pair joins is what pod-network
  measures between two without pods, within the intervals of both.
- `jobs`: two Jobs of `cnbench fleet manifest` are completed on a cluster of one node, whose servers
  and kubelet are real, and leave run files in its volume, with every case measured and proved; one
  that cannot measure has failed, and says why; one that is deleted keeps what it has measured;
  accounts may do what they should, and no more.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fleet_known_answers.between import between
from fleet_known_answers.jobs import jobs
from fleet_known_answers.kills import kills
from fleet_known_answers.speed import speed

ANSWERS = {"speed": speed, "kills": kills, "between": between, "jobs": jobs}


def main() -> None:
    """Give the answers that are asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("answers", nargs="*", choices=[*ANSWERS, []], metavar="ANSWER",
                        help="; ".join(ANSWERS))  # fmt: skip
    wanted = parser.parse_args().answers or ANSWERS
    if os.geteuid() != 0:
        raise SystemExit("run this as root")
    missed = False
    for name in wanted:
        with tempfile.TemporaryDirectory() as folder:
            missed |= not ANSWERS[name](Path(folder), random.Random(22))  # noqa: S311
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
