"""Counting instructions in guests: until the first block, and all of it from saved states."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from speed.blocks import FIRST_BLOCK, run, times_of, used_by_run
from speed.row import Figure, Row
from speed.sides import WALL, Side

_SAVES_SETUPS = """
import importlib.util
print(int(importlib.util.find_spec("cnbench.lab.guest.saved_setups") is not None))
"""
_COUNTED = ("service-routing", "-p", "measure=connect", "--clock", "instructions")


def _prepare(argv: tuple[str, ...], small: tuple[str, ...], side: Side, folder: Path) -> None:
    """Have all states saved that a run can go on from: those of the guest, and of its set-ups.

    Of a build that saves no set-ups a small case will do.
    """
    side.done([side.cnbench, "guest", "build"], folder)
    (saves,) = side.told_by(_SAVES_SETUPS)
    run(side, folder, *(argv if saves else small))


def rows(*, reduced: bool) -> list[Row]:
    """The rows of this file."""
    services = "1,10" if reduced else "1,1000"
    small = (*_COUNTED, "-p", "mode=iptables", "-p", "services=1", "-p", "position=first")
    both = (*_COUNTED, "-p", "mode=iptables,ipvs", "-p", f"services={services}")
    return [
        Row("first-block", "a small counted case, from saved states",
            (Figure(FIRST_BLOCK, "s", 1 / 2),),
            partial(times_of, small), partial(_prepare, small, small)),
        Row("counted", f"`{' '.join(both)}`, from saved states", (Figure(WALL, "s", 1 / 3),),
            partial(used_by_run, both), partial(_prepare, both, small), rounds=1),
    ]  # fmt: skip
