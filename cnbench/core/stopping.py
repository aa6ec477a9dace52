"""Being asked to stop (Ctrl-C, SIGTERM, SIGHUP): never lost, and never amid a take-down.

A signal becomes a KeyboardInterrupt wherever the program happens to be, with two exceptions. Python
drops what is raised inside a finalizer or a weakref's callback (it is "ignored"): such a one is
raised again. And whatever leaves a context manager is taking something down (a namespace, a mount,
a process): there it waits, since half a take-down leaves the other half behind.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

# SIGHUP is what a closed terminal sends, SIGTERM what CI systems and service managers do.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# How soon a stop that had to wait is tried again.
_SECONDS_BEFORE_TRYING_AGAIN = 0.02


class _Stop:
    """Whether this process was asked to stop, and whether that has been raised."""

    def __init__(self) -> None:
        self.asked = False
        self.raised = False
        self.held = 0

    def hear(self, number: int, frame: FrameType | None) -> None:
        """Take a signal; those after the one that was raised are what is going on already."""
        self.asked = True
        self.raise_or_wait(number, frame)

    def raise_or_wait(self, number: int, frame: FrameType | None) -> None:
        if not self.asked or self.raised:
            return
        if self.held or _is_taking_down(frame):
            _try_again_soon()
            return
        self.raised = True
        raise KeyboardInterrupt

    def raise_again(self) -> None:
        """It was raised where Python drops exceptions."""
        self.raised = False
        _try_again_soon()


_current: _Stop | None = None


def check() -> None:
    """Raise KeyboardInterrupt if this process was asked to stop; to be called between samples."""
    if _current is not None and _current.asked:
        _current.raised = True
        raise KeyboardInterrupt


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Have a stop wait for the end of this context: for what must not be cut short."""
    if _current is None:
        yield
        return
    stop = _current
    stop.held += 1
    try:
        yield
    finally:
        stop.held -= 1


@contextlib.contextmanager
def listening() -> Iterator[None]:
    """Have the signals raise KeyboardInterrupt inside; the last thing that a process does.

    A SIGHUP that is ignored stays so (nohup). Once stopped, the process is about to end and has
    said what there is to say, so that further signals are ignored to its very end.
    """
    global _current  # noqa: PLW0603  signals are the process's, and so is this
    outer, stop = _current, _Stop()
    _current = stop
    numbers = [n for n in SIGNALS if n != signal.SIGHUP or signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop.hear) for number in numbers}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, stop.raise_or_wait)
    hook = sys.unraisablehook
    sys.unraisablehook = _raising_again(stop)
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if stop.asked else handler)
        _current = outer


def _raising_again(stop: _Stop) -> Any:
    before = sys.unraisablehook

    def hook(dropped: sys.UnraisableHookArgs) -> None:
        if issubclass(dropped.exc_type, KeyboardInterrupt) and stop.asked:
            stop.raise_again()
        else:
            before(dropped)

    return hook


def _try_again_soon() -> None:
    signal.setitimer(signal.ITIMER_REAL, _SECONDS_BEFORE_TRYING_AGAIN)


def _is_taking_down(frame: FrameType | None) -> bool:
    """Whether a context manager is being left, or contextlib is between two steps of one."""
    if frame is not None and frame.f_code.co_filename == contextlib.__file__:
        return True
    while frame is not None:
        if frame.f_code.co_name == "__exit__":
            return True
        frame = frame.f_back
    return False
