"""What this machine is called among others."""

from __future__ import annotations

import os
import platform

from cnbench.core.printable import printable


def this_node() -> str:
    """This machine's name: in a container its own name is not the node's."""
    return printable(os.environ.get("CNBENCH_NODE") or platform.node())
