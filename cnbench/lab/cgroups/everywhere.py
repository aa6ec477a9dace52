"""The hierarchies that a container runtime uses: on v1 all that are mounted, else the one of v2."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from cnbench.core.errors import UnsupportedError
from cnbench.lab.cgroups.hierarchies import controllers_in, passed_on
from cnbench.lab.journal import Journal
from cnbench.lab.resources import MARK


def roots(mounts: str | None = None) -> list[Path]:
    """The root folder of each hierarchy; a v2 tree beside v1's has no part in it.

    Read from /proc/mounts, or from ``mounts``, its text.

    Raises:
        UnsupportedError: none is mounted.
    """
    text = Path("/proc/mounts").read_text() if mounts is None else mounts
    rows = [line.split() for line in text.splitlines()]
    # Those that a run mounted for itself go with that run.
    found = [(Path(row[1]), row[2]) for row in rows if MARK not in row[1]]
    v1 = [target for target, kind in found if kind == "cgroup"]
    v2 = [target for target, kind in found if kind == "cgroup2"]
    if not v1 and not v2:
        raise UnsupportedError("no cgroups are mounted", "use the guest lab: --lab guest")
    return v1 or v2[:1]


@contextlib.contextmanager
def passing_all_on(journal: Journal, *folders: Path) -> Iterator[None]:
    """Have v2 groups give all their controllers to their children, as runtimes would have it.

    What a runtime enables by itself nobody would take back. Groups of v1 stay as they are.
    """
    with contextlib.ExitStack() as opened:
        for folder in folders:
            for name in controllers_in(folder):
                opened.enter_context(passed_on(journal, folder, name))
        yield
