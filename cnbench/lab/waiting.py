"""Waiting for what happens by itself, for so long and no longer."""

from __future__ import annotations

import time
from collections.abc import Callable

from cnbench.core.errors import CnbenchError


def wait_until(
    happened: Callable[[], object],
    problem: str,
    *,
    within: float,
    every: float = 0.01,
    meanwhile: Callable[[], object] = lambda: None,
) -> None:
    """Ask ``happened`` again and again until it says yes.

    Args:
        happened: what is waited for; it is asked at once.
        problem: what is said where it does not happen, up to "after ... s".
        within: seconds.
        every: seconds between two questions; 0 asks without a rest.
        meanwhile: called before each rest; it may raise when there is nothing left to wait for.

    Raises:
        CnbenchError: it has not happened within that time.
    """
    give_up = time.monotonic() + within
    while not happened():
        meanwhile()
        if time.monotonic() > give_up:
            raise CnbenchError(f"{problem} after {within:.0f} s")
        if every:
            time.sleep(every)
