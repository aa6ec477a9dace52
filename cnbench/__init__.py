"""cnbench: what the building blocks of a container platform really cost, with proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from cnbench.store.frames import Runs

__version__ = "0.1.0"


def load(path_or_folder: str | Path) -> Runs:
    """Read run files for analysis: ``cnbench.load("results/runs").frame()`` is a pandas frame.

    Raises:
        cnbench.core.errors.UsageError: nothing is there, or a file is not a run file.
    """
    # Imported here: the guest has the package without its analysis side.
    from cnbench.store import frames

    return frames.load(path_or_folder)
