"""Why a guest came to its end, as a sentence, from what it left on its console."""

from __future__ import annotations

import re

from cnbench.lab.guest.errors import GuestError

_KEPT_LINES = 20
_TIMESTAMP = re.compile(r"^\[ *\d+\.\d+\] ?")
# What tells most about an end comes first: the kernel's own words, then the init script's.
_REASONS = (
    (re.compile(r"Out of memory: Killed process \d+ \(([^)]*)\)"), "it ran out of memory: {}"),
    (re.compile(r"Out of memory and no killable processes"), "it ran out of memory"),
    (re.compile(r"Kernel panic - not syncing: (.*)"), "its kernel panicked: {}"),
    (re.compile(r"^cnbench: (.*)"), "{}"),
)
_MORE_MEMORY = "give the guest more memory"


def last_lines(console: str, count: int = _KEPT_LINES) -> list[str]:
    """The last ``count`` lines of a console that are not blank, without times."""
    lines = [_TIMESTAMP.sub("", line.strip()) for line in console.splitlines()]
    return [line for line in lines if line][-count:]


def reason_in(console: str) -> str:
    """What a console says of why its machine ended; empty where it does not."""
    lines = last_lines(console, len(console))
    for pattern, sentence in _REASONS:
        for line in reversed(lines):
            if found := pattern.search(line):
                return sentence.format(*found.groups())
    return ""


def is_panic(error: GuestError) -> bool:
    """Whether the guest's kernel, and nothing else, brought it down."""
    return any("Kernel panic" in line for line in error.console)


def of_machine(doing: str, stderr: str, console: str) -> GuestError:
    """The error for a guest that ended while ``doing``; ``stderr`` is QEMU's."""
    words = [line for line in stderr.strip().splitlines() if "warning" not in line]
    reason = reason_in(console) or (words[-1] if words else "") or _last(console)
    return GuestError(
        f"the guest ended while {doing}: {reason}", _remedy(reason), last_lines(console)
    )


def of_silence(doing: str, silence: str, console: str) -> GuestError:
    """The error for a guest that hung while ``doing``, and was killed."""
    reason = reason_in(console) or _last(console)
    return GuestError(
        f"{silence} while {doing}, and was ended: {reason}", _remedy(reason), last_lines(console)
    )


def of_module(module: str, status: int, stderr: str, console: str) -> GuestError:
    """The error for a module that ended with ``status`` (negative: by that signal)."""
    lines = stderr.strip().splitlines()
    reason = reason_in(console) or (lines[-1] if lines else "it said nothing")
    how = f"was killed by signal {-status}" if status < 0 else f"exited with {status}"
    return GuestError(
        f"{module} {how} in the guest: {reason}", _remedy(reason), last_lines(console)
    )


def _last(console: str) -> str:
    lines = last_lines(console, 1)
    return f"its last line was {lines[0]!r}" if lines else "its console is empty"


def _remedy(reason: str) -> str:
    return _MORE_MEMORY if "ran out of memory" in reason else ""
