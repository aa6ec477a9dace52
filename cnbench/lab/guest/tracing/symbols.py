"""Where a guest's kernel has its functions, as that kernel tells it (kallsyms).

Runs inside the guest whose trace is read: where modules lie depends on the order of their loading.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

_LETTER = 17  # its place in a line, behind an address of 16 digits
_OF_FUNCTIONS = b"tTwW"


def functions(listing: bytes) -> str:
    """The lines of functions in the text of /proc/kallsyms."""
    lines = listing.splitlines()
    return b"\n".join(
        line for line in lines if line[_LETTER : _LETTER + 1] in _OF_FUNCTIONS
    ).decode(errors="replace")


def main() -> None:
    """Tell them all as one line."""
    found = functions(Path("/proc/kallsyms").read_bytes())
    sys.stdout.write(json.dumps({"functions": found}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
