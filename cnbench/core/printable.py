"""Text from files and tools, made safe for a terminal."""

from __future__ import annotations

import re

# Control characters but newline and tab, and what turns the direction of writing around.
# Compiled when it is first needed (re remembers it): `cnbench --help` prints nothing foreign.
_UNSAFE = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"


def printable(text: str) -> str:
    """``text`` with U+FFFD for whatever a terminal would obey rather than show."""
    return re.sub(_UNSAFE, "\ufffd", text)
