"""What the run files of nodes are called."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cnbench.core.errors import UsageError


def file_names(nodes: Iterable[str]) -> dict[str, str]:
    """A file's name for each of ``nodes``, whatever that is called, without its ending.

    Raises:
        UsageError: two of them would be called the same.
    """
    names: dict[str, str] = {}
    for node in nodes:
        name = re.sub(r"[^A-Za-z0-9._-]", "_", node).lstrip(".") or "_"
        if name in names.values():
            raise UsageError(
                f"two nodes' files would both be called {name}",
                "give the nodes names that letters and digits tell apart: CNBENCH_NODE",
            )
        names[node] = name
    return names
