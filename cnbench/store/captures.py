"""Keeping the packets that proofs have seen, one file a case, for Wireshark and its like."""

from __future__ import annotations

import base64
import errno
import re
from pathlib import Path

from cnbench.core.case import Case
from cnbench.core.errors import UsageError
from cnbench.core.ownership import why_not_ours
from cnbench.measuring.events import Captured, Event
from cnbench.store import whole_file

# What a file may be called everywhere, and how long its name may be on most file systems.
_ODD = re.compile(r"[^A-Za-z0-9.+-]+")
_LONGEST = 240


class CaptureFolder:
    """A folder with a capture file for each case that has one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept = 0

    def listen(self, event: Event) -> None:
        """Keep what a measurement tells.

        Raises:
            UsageError: a file cannot be written.
        """
        if not isinstance(event, Captured):
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            problem = why_not_ours(self.folder, folder=True)
            if problem:
                raise OSError(errno.EPERM, problem, str(self.folder))
        except OSError as error:
            raise UsageError(
                f"the capture {error.filename} cannot be written: {error.strerror}",
                "choose another place for the run with -o, or leave out --keep-capture",
            ) from error
        contents = base64.b64decode(event.packets)
        whole_file.write(self.folder / file_name(event.case), contents, "the capture")
        self.kept += 1


def file_name(case: Case) -> str:
    """A name that tells a case from all others of its run."""
    parts = [case.experiment, *case.where, *map(str, case.params.values())]
    return _ODD.sub("_", "-".join(parts))[:_LONGEST] + ".pcap"
