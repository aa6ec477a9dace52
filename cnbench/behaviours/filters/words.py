"""What a tool itself does not know says nothing about the kernel."""

from __future__ import annotations

import subprocess

from cnbench.core.errors import UnsupportedError

_OF_TOOLS = ("syntax error", "is a garbage")


def refuse_unknown_words(done: subprocess.CompletedProcess[str]) -> None:
    """Raise UnsupportedError where the tool that has ended did not understand what it was told."""
    if done.returncode and any(word in done.stderr for word in _OF_TOOLS):
        raise UnsupportedError(
            f"this {done.args[0]} is too old to ask: {done.stderr.splitlines()[0]}",
            "ask in a guest: --kernels trixie",
        )
