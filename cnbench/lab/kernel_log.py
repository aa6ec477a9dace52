"""What the kernel's log says of kills for want of memory, read as cAdvisor does."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import select
from collections.abc import Iterator
from dataclasses import dataclass, field

from cnbench.core.errors import UnsupportedError

_LOG = "/dev/kmsg"
# The first, the middle and the last line of such a report (mm/oom_kill.c; utils/oomparser of
# cAdvisor). The kernel leaves the first two out where there were ten reports in five seconds, and
# cAdvisor then passes over the last.
_FIRST, _LAST = "invoked oom-killer:", "Killed process"
_GROUP = re.compile(r"oom-kill:constraint=.*,oom_memcg=(?P<group>[^,]*),task_memcg=")


@dataclass
class OomReports:
    """Puts lines together; the group of each report that is whole."""

    _begun: bool = field(default=False)
    _group: str = field(default="")

    def take(self, line: str) -> str:
        """Take one line: the path of the group whose memory ran out, once that is told."""
        if _FIRST in line:
            self._begun, self._group = True, ""
        elif self._begun and (found := _GROUP.search(line)):
            self._group = found["group"]
        elif self._begun and _LAST in line:
            self._begun = False
            return self._group
        return ""


@dataclass
class KernelLog:
    """The reports of one group. Use ``open_kernel_log``."""

    descriptor: int
    group: str
    _reports: OomReports = field(default_factory=OomReports)

    def told(self, within: float) -> bool:
        """Whether a kill of the group is told within so many seconds."""
        while True:
            for line in self._lines():
                if self._reports.take(line).endswith(self.group):
                    return True
            if not select.select([self.descriptor], [], [], within)[0]:
                return False

    def forget(self) -> None:
        """Pass over all that has been said so far."""
        os.lseek(self.descriptor, 0, os.SEEK_END)
        self._reports = OomReports()

    def _lines(self) -> Iterator[str]:
        """What has been said since, a record at a time."""
        while True:
            try:
                yield os.read(self.descriptor, 8192).decode(errors="replace")
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.EPIPE:  # some were overwritten before they were read
                    raise


@contextlib.contextmanager
def open_kernel_log(group: str) -> Iterator[KernelLog]:
    """The kernel's log from now on, for the group whose path ends with ``group``.

    Raises:
        UnsupportedError: it may not be read.
    """
    try:
        descriptor = os.open(_LOG, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UnsupportedError(
            f"{_LOG} cannot be read: {error.strerror}", "run as root, outside of a container"
        ) from error
    try:
        log = KernelLog(descriptor, group)
        log.forget()
        yield log
    finally:
        os.close(descriptor)
