"""Long work inside a set-up or a sample: how far it is, told to whoever listens."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

# What is being done, how many of it are, and of how many.
Tell = Callable[[str, int, int], None]


class LongWork:
    """Passes on how far work is, a bounded number of times, whatever its size.

    Work of fewer than ``LEAST`` parts is over before anyone asks, and says nothing: so a short
    sample in a guest does not talk while it is timed.
    """

    LEAST = 10_000
    _TIMES = 50

    def __init__(self) -> None:
        self._tell: Tell | None = None
        self._told: tuple[str, int] = ("", 0)

    def advanced(self, what: str, done: int, total: int) -> None:
        """Say that ``done`` parts of ``total`` are finished; ``what`` they are, in the plural."""
        if self._tell is None or total < self.LEAST:
            return
        step = (what, done * self._TIMES // total)
        if step != self._told:
            self._told = step
            self._tell(what, done, total)

    @contextlib.contextmanager
    def told_to(self, tell: Tell) -> Iterator[None]:
        """Have ``tell`` called with what advances inside this context."""
        self._tell, self._told = tell, ("", 0)
        try:
            yield
        finally:
            self._tell = None
