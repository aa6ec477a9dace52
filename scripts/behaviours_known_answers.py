"""Shows that the probes of behaviours repeat, are not blind, and see what came with which release.

Asks this machine and every kernel that is built twice, the second time with controls. Prints

- how long each time took (the first one may boot guests that were never booted);
- every cell in which the two times differ;
- every probe that no control makes answer otherwise;
- every kernel that answers otherwise than its release says (what is known of releases beforehand,
  of which the probes know nothing);
- in how many behaviours two kernels differ.

Ends with 1 unless there is none of these, and two kernels differ in at least ten.

    .venv/bin/python scripts/behaviours_known_answers.py [--kernels host,bookworm,trixie]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cnbench.behaviours.table import Table
from cnbench.core.kernels.release import release_order
from cnbench.store import behaviour_tables

CNBENCH = Path(sys.executable).with_name("cnbench")
FEWEST_DIFFERING = 10

# What is in the answer from a release on, and before it is not.
SINCE = {
    "cgroups.burst-above-quota": ((5, 14), "refused"),
    "cgroups.idle-weight": ((5, 15), "weight"),
    "cgroups.kill-file": ((5, 14), "all are gone"),
    "cgroups.peak-reset": ((6, 12), "for its writer alone"),
    "cgroups.pids-events": ((6, 11), "the limited"),
    "cgroups.quota-in-system-call": ((6, 18), "runs to its end"),
    "filters.destroy-missing": ((6, 3), "fine"),
    "mounts.in-user-namespace": ((5, 11), "overlay"),
    "mounts.tmpfs-noswap": ((6, 4), "taken"),
    "mounts.tmpfs-user-xattr": ((6, 6), "kept"),
    "mounts.idmapped": ((6, 3), "tmpfs"),
    "namespaces.pid-max": ((6, 14), "32768 outside"),
    "network.closed-listener": ((5, 14), "all kept"),
    "network.syn-retries": ((6, 5), "8 SYNs, 19 s"),
    "overlay.escaped-attributes": ((6, 7), "trusted.overlay.overlay"),
    "overlay.data-only-layer": ((6, 5), "not seen"),
    "processes.landlock": ((5, 13), "version"),
    "processes.memfd-exec": ((6, 3), "taken"),
    "processes.pidfd-number": ((6, 9), "one each"),
}


def asked(*options: str) -> Table:
    """What ``cnbench behaviours`` prints with ``options``, with how long it took."""
    began = time.monotonic()
    done = subprocess.run(
        [CNBENCH, "behaviours", "--json", *options],
        check=False,
        stdout=subprocess.PIPE,
        text=True,
    )
    print(f"{' '.join(options) or 'all'}: {time.monotonic() - began:.0f} s")
    if not done.stdout:
        raise SystemExit("it printed nothing")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(json.loads(done.stdout), file)
        file.flush()
        return behaviour_tables.read(Path(file.name))


def unlike(one: Table, other: Table) -> Iterator[str]:
    """The cells in which two tables differ."""
    for column, again in zip(one.columns, other.columns, strict=True):
        for first in column.observations:
            second = again.of(first.behaviour)
            if second is None or (first.status, first.answer) != (second.status, second.answer):
                yield f"{column.release} {first.behaviour}: {first} and {second}"


def blind(table: Table) -> Iterator[str]:
    """The probes that failed, or that no control makes answer otherwise."""
    for column in table.columns:
        for one in column.observations:
            if one.status == "failed" or (one.status == "ok" and not one.control_differs):
                yield f"{column.release} {one.behaviour}: {one}"


def out_of_their_release(table: Table) -> Iterator[str]:
    """The kernels that answer otherwise than what is known of their release."""
    for column in table.columns:
        for name, (release, word) in SINCE.items():
            found = column.of(name)
            expected = release_order(column.release)[:2] >= release
            if found and found.status == "ok" and (word in found.answer) != expected:
                yield f"{column.release} {name}: {found.answer!r}, {word!r} came with {release}"


def main() -> None:
    """Ask, print what is not as it should be, and end with 1 if there is anything."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kernels", default="")
    kernels = parser.parse_args().kernels
    options = ["--kernels", kernels] if kernels else []
    first, second = asked(*options), asked(*options, "--controls")
    problems = [*unlike(first, second), *blind(second), *out_of_their_release(second)]
    print("\n".join(problems))
    differing = len(second.differing())
    print(f"{differing} of {len(second.behaviours)} behaviours differ between two kernels")
    few = len(second.columns) > 2 and differing < FEWEST_DIFFERING
    raise SystemExit(1 if problems or few else 0)


if __name__ == "__main__":
    main()
