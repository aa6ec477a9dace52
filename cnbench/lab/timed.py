"""The timed parts of samples that are mostly set-up."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator


class TimedParts:
    """Tells whoever listens when what is timed begins, and when it ends.

    A sample that says nothing of it is timed as a whole.
    """

    def __init__(self) -> None:
        self._tell: Callable[[], None] | None = None

    @contextlib.contextmanager
    def part(self) -> Iterator[None]:
        """Around what is timed: what disturbs the machine outside does the figure no harm."""
        if self._tell is None:
            yield
            return
        self._tell()
        yield
        self._tell()

    @contextlib.contextmanager
    def told_to(self, tell: Callable[[], None]) -> Iterator[None]:
        """Have ``tell`` called at the begin and at the end of every part inside this context."""
        self._tell = tell
        try:
            yield
        finally:
            self._tell = None
