"""A run as one JSON object; cnbench reads it as it reads a run file."""

from __future__ import annotations

from cnbench.core.run import Run
from cnbench.store import one_object

BEGINS: bytes | None = b'{\n "id": '
BINARY = False


def exported(run: Run) -> tuple[bytes, list[str]]:
    """See ``export.Format``."""
    return one_object.encode(run), []
