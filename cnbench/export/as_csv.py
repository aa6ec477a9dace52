"""A run as CSV: one row a sample, the columns of ``cnbench.load().frame()``."""

from __future__ import annotations

from cnbench.core.run import Run
from cnbench.store.frames import Runs

BEGINS: bytes | None = b"run,experiment,lab,clock,kernel,status,"
BINARY = False


def exported(run: Run) -> tuple[bytes, list[str]]:
    """See ``export.Format``."""
    return Runs([run]).frame().to_csv(index=False).encode(), []
