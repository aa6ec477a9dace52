"""A run as Parquet: one row a sample, the typed columns of ``cnbench.load().frame()``."""

from __future__ import annotations

import io

from cnbench.core.run import Run
from cnbench.store.frames import Runs

BEGINS: bytes | None = None
BINARY = True


def exported(run: Run) -> tuple[bytes, list[str]]:
    """See ``export.Format``."""
    written = io.BytesIO()
    Runs([run]).frame().to_parquet(written, engine="pyarrow", index=False)
    return written.getvalue(), []
