"""Standard output and error that cost no run, whoever reads them and whatever they can show."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# What we print beyond ASCII, for terminals and files that have no such characters.
_IN_ASCII = {
    "–": "-", "±": "+-", "×": "x", "µ": "u", "μ": "u", "′": "'", "→": "->", "…": "...", "✓": "yes",
    "✗": "no", "≤": "<=", "≥": ">=", "≈": "~", "’": "'", "─": "-", "━": "-", "╸": "-", "╺": "-",
}  # fmt: skip
_PLAIN = "cnbench.plain"


class _Descriptor(io.FileIO):
    """A descriptor to write to that becomes /dev/null once it cannot be written to.

    Who reads us (head, say) may go away: what is being measured goes on. What fails otherwise (a
    full disk) is said once, and does not fail again when the process ends.
    """

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            self._become_nothing()
            return memoryview(data).nbytes
        except OSError:
            self._become_nothing()
            raise

    def _become_nothing(self) -> None:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, self.fileno())
        os.close(nothing)


def harden() -> None:
    """Have this process' output survive a reader that goes away, and a poor character set."""
    codecs.register_error(_PLAIN, _plainer)
    sys.stdout = _hardened(sys.stdout, sys.__stdout__)
    sys.stderr = _hardened(sys.stderr, sys.__stderr__)


def _hardened(stream: TextIO | None, own: TextIO | None) -> TextIO:
    if stream is None:  # it was closed before we were started
        return open(os.devnull, "w")  # noqa: PTH123  it is the process's to its end
    if stream is not own:  # a test's or a notebook's
        return stream
    with contextlib.suppress(OSError):
        stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Descriptor(stream.fileno(), "wb", closefd=False)),
        encoding=stream.encoding,
        errors=_PLAIN,
        line_buffering=stream.isatty() or stream is sys.__stderr__,
    )


def _plainer(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    plain = "".join(_IN_ASCII.get(character, "?") for character in lacking)
    return plain.encode(error.encoding, "replace").decode(error.encoding), error.end
