"""Counting what happens in a cgroup alone: perf events that its folder's descriptor filters."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from cnbench.core.errors import CnbenchError
from cnbench.lab import libc
from cnbench.lab.cgroups.group import Cgroup

# From linux/perf_event.h. The software clock counts while a member is on the CPU, with or without
# the processor's own counters, which most virtual machines do not have.
_TYPE_SOFTWARE, _CPU_CLOCK = 1, 0
_ATTRIBUTES = struct.Struct("=IIQQQQQ")
_SIZE = 64  # PERF_ATTR_SIZE_VER0, which every kernel takes
_PID_CGROUP = 4


@dataclass(frozen=True)
class GroupClock:
    """The time that a group was on the CPUs. Use ``open_group_clock``.

    Attributes:
        descriptors: one a CPU.
    """

    descriptors: tuple[int, ...]

    def seconds(self) -> float:
        """Time since it was opened, over all CPUs."""
        counts = (
            int.from_bytes(os.read(descriptor, 8), sys.byteorder) for descriptor in self.descriptors
        )
        return sum(counts) / 1e9


@contextlib.contextmanager
def open_group_clock(group: Cgroup) -> Iterator[GroupClock]:
    """A clock of ``group``, which counts from now on.

    Raises:
        CnbenchError: the kernel refuses it.
    """
    attributes = _ATTRIBUTES.pack(_TYPE_SOFTWARE, _SIZE, _CPU_CLOCK, 0, 0, 0, 0)
    attributes = attributes.ljust(_SIZE, b"\0")
    with contextlib.ExitStack() as opened:
        folder = os.open(group.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        opened.callback(os.close, folder)
        descriptors = []
        for cpu in sorted(os.sched_getaffinity(0)):
            try:
                descriptor = libc.perf_event_open(attributes, folder, cpu, _PID_CGROUP)
            except OSError as error:
                raise CnbenchError(
                    f"the kernel counts no perf events of a cgroup: {error.strerror}"
                ) from error
            opened.callback(os.close, descriptor)
            descriptors.append(descriptor)
        yield GroupClock(tuple(descriptors))
