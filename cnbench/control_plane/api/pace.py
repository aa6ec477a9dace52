"""A bound on requests a second, kept over all connections."""

from __future__ import annotations

import threading
import time


class Pace:
    """Lets requests through one by one, at least ``1 / rate`` seconds apart."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Wait for one's turn."""
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + 1 / self.rate
        time.sleep(max(0.0, turn - time.monotonic()))


UNBOUND = Pace(float("inf"))
