"""Files that are written in one step: a reader sees the old contents or the new, never a part."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from cnbench.core.errors import UsageError


def write(path: Path, contents: bytes, what: str) -> None:
    """Write ``contents`` to ``path``, whose folder is made if need be; ``what`` names it in errors.

    Raises:
        UsageError: it could not be written (a full disk, a read-only folder); what was in
            ``path`` before is still there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(contents)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        raise UsageError(
            f"{what} {path} could not be written: {error.strerror}",
            "free some space, or write elsewhere: -o FILE",
        ) from error
