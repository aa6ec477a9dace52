"""A temporary folder that is written down, so that it goes with its process, or by `cnbench gc`."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path

from cnbench.core.errors import UnsupportedError
from cnbench.lab.journal import Journal, open_journal
from cnbench.lab.resources import MARK, Resource, temporary_folder


@contextlib.contextmanager
def own_folder() -> Iterator[Path]:
    """An empty folder, of a process that opens no lab.

    Raises:
        UnsupportedError: no journal can be written, or there is no room for temporary files.
        CnbenchError: this user has no folder for them.
    """
    with open_journal(uuid.uuid4().hex[:12]) as journal, folder_in(journal) as folder:
        yield folder


@contextlib.contextmanager
def folder_in(journal: Journal) -> Iterator[Path]:
    """An empty folder that is in ``journal`` while it is there.

    Raises:
        UnsupportedError: there is no room for temporary files.
        CnbenchError: this user has no folder for them.
    """
    folder = temporary_folder() / f"{MARK}{journal.run}"
    with journal.owning(Resource("folder", str(folder))):
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise UnsupportedError(
                f"the temporary folder {folder} cannot be made: {error.strerror}",
                "free some space there, or name another: TMPDIR=FOLDER",
            ) from error
        yield folder
