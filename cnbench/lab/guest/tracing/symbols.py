"""Where a guest's kernel has its functions, as that kernel tells it (kallsyms).

Runs inside the guest whose trace is read: where modules lie depends on the order of their loading.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

# An address, the letter of a function, its name and, for a module's, the module's.
_FUNCTION = re.compile(rb"^([0-9a-f]+) [tTwW] (\S+)(?:\s+\[(\S+)\])?$", re.MULTILINE)


def functions(listing: bytes) -> list[tuple[str, str, str]]:
    """Address, name and module of each function in the text of /proc/kallsyms."""
    return [
        (address.decode(), name.decode(errors="replace"), module.decode(errors="replace"))
        for address, name, module in _FUNCTION.findall(listing)
    ]


def main() -> None:
    """Tell them all as one line."""
    found = functions(Path("/proc/kallsyms").read_bytes())
    sys.stdout.write(json.dumps({"functions": found}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
