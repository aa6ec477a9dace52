"""Long work inside a set-up or a sample: how far it is, told to whoever listens."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

# Takes a sentence without its end.
Tell = Callable[[str], None]


class LongWork:
    """Passes on how far work is, a bounded number of times, whatever its size.

    Work of fewer than ``LEAST`` parts is over before anyone asks, and says nothing: so a short
    sample in a guest does not talk while it is timed.
    """

    LEAST = 10_000
    _TIMES = 50
    # So long a piece of work is not disturbed by what a thread takes to say so.
    _SECONDS_UNDERWAY = 20.0

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
            self._tell(f"{done:,} of {total:,} {what}")

    def pass_on(self, what: str) -> None:
        """Say what another process, which does the work, has said of it."""
        if self._tell is not None:
            self._tell(what)

    @contextlib.contextmanager
    def underway(self, what: str, parts: int) -> Iterator[None]:
        """Say now and then that ``what`` goes on, inside this context: it does not tell itself.

        It must have a time limit of its own, or whoever listens would wait for it for ever.
        """
        if self._tell is None or parts < self.LEAST:
            yield
            return
        tell, ended = self._tell, threading.Event()

        def keep_telling() -> None:
            while not ended.wait(self._SECONDS_UNDERWAY):
                tell(what)

        thread = threading.Thread(target=keep_telling, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    @contextlib.contextmanager
    def told_to(self, tell: Tell) -> Iterator[None]:
        """Have ``tell`` called with what advances or is under way inside this context."""
        self._tell, self._told = tell, ("", 0)
        try:
            yield
        finally:
            self._tell = None
