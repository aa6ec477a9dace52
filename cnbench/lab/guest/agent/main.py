"""The agent's whole life: prepare the machine, open the port, serve."""

from __future__ import annotations

import sys

from .preparing import prepare
from .serving import open_port, serve


def main() -> None:
    """Prepare and serve; what goes wrong before the host can be told is left on the console."""
    try:
        prepare()
        port = open_port()
    except Exception as error:
        sys.exit(f"cnbench: the agent could not prepare the guest: {error}")
    serve(port)
