"""A temporary folder of a process that opens no lab."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path

from cnbench.lab.journal import open_journal
from cnbench.lab.resources import MARK, Resource, temporary_folder


@contextlib.contextmanager
def own_folder() -> Iterator[Path]:
    """An empty folder that is gone on leaving; `cnbench gc` removes it if the process is killed.

    Raises:
        UnsupportedError: no journal can be written.
        CnbenchError: there is no room for temporary files.
    """
    run = uuid.uuid4().hex[:12]
    folder = temporary_folder() / f"{MARK}{run}"
    with open_journal(run) as journal, journal.owning(Resource("folder", str(folder))):
        folder.mkdir(mode=0o700)
        yield folder
