"""Processes that do nothing but live in new namespaces, made by clone or clone3.

What Python's fork makes is a copy of all of Python, whose page tables cost a hundred times what the
smallest namespace does. So a resident shares the memory of its maker (CLONE_VM, as vfork and
posix_spawn have it) and runs a few instructions of its own, which wait for the other end of a pipe:
no Python may run in it. It ends when it is told, or when every other holder of that end has ended,
so that it outlives no kill.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import signal
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

from cnbench.core.errors import UnsupportedError
from cnbench.lab import system_calls
from cnbench.lab.clock import Clock
from cnbench.lab.namespaces.company import ALONE, CLONE_VM, Company
from cnbench.lab.namespaces.kinds import Kind, flags_of
from cnbench.lab.system_calls import Calls, Child

Call = Literal["clone", "clone3"]

_STACK = 16 * mmap.PAGESIZE
_LAST_NUMBER = Path("/proc/sys/kernel/ns_last_pid")
_MONOTONIC = 1  # CLOCK_MONOTONIC of clock_nanosleep(2)
# void resident(struct { long to_close, to_read, byte, more, flags, theirs; } *)
_RESIDENT = bytes.fromhex(
    "4889fb"  # mov rbx, rdi
    "488b3b"  # mov rdi, [rbx]
    "b803000000"  # mov eax, 3          close
    "0f05"  # syscall
    "4c8b6318"  # mov r12, [rbx + 24]   how many more there are to be
    "4d85e4"  # more: test r12, r12
    "741f"  # jz wait
    "488b7b20"  # mov rdi, [rbx + 32]   clone's flags for them; they have no stack, and need none
    "31f6"  # xor esi, esi
    "31d2"  # xor edx, edx
    "4531d2"  # xor r10d, r10d
    "4531c0"  # xor r8d, r8d
    "b838000000"  # mov eax, 56
    "0f05"  # syscall
    "4885c0"  # test rax, rax
    "740b"  # jz member
    "49ffcc"  # dec r12
    "ebdc"  # jmp more
    "488b7b08"  # wait: mov rdi, [rbx + 8]
    "eb04"  # jmp read
    "488b7b28"  # member: mov rdi, [rbx + 40]
    "488d7310"  # read: lea rsi, [rbx + 16]
    "ba01000000"  # mov edx, 1
    "31c0"  # xor eax, eax              read
    "0f05"  # syscall
    "31ff"  # xor edi, edi
    "b8e7000000"  # mov eax, 231        exit_group
    "0f05"  # syscall
)


@dataclass(frozen=True)
class Resident:
    """A process in new namespaces. Use ``open_resident``.

    Attributes:
        pid: as its maker sees it.
        ticks: what the system call took that made it.
        hold: writing to it ends the process.
        company: the processes beside it that are its maker's children, too, and end with it.
    """

    pid: int
    ticks: int
    hold: int
    company: Sequence[int] = ()

    def let_go(self) -> None:
        """Have it end, and its company."""
        os.write(self.hold, self._word)

    def wait(self) -> None:
        """Wait until all have ended; their namespaces are let go of by then."""
        for pid in (self.pid, *self.company):
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    def end(self, clock: Clock, aftermath: float) -> int:
        """As ``let_go`` and ``wait``: the ticks that it took.

        Where instructions are counted, what workers do in the first ``aftermath`` seconds is among
        them, and what is waited is not.
        """
        word = ctypes.create_string_buffer(self._word)
        pause = ctypes.create_string_buffer(struct.pack("=2q", 0, round(aftermath * 1e9)))
        calls: list[tuple[int, ...]] = [
            (system_calls.WRITE, self.hold, ctypes.addressof(word), len(self._word))
        ]
        if clock.name == "instructions":
            calls += [(system_calls.CLOCK_NANOSLEEP, _MONOTONIC, 0, ctypes.addressof(pause))]
        for pid in (self.pid, *self.company):
            calls += [(system_calls.WAITID, os.P_PID, pid, 0, os.WEXITED | os.WNOWAIT)]
        ending = Calls(calls)
        with _no_signals(), clock.going_first():
            return clock.less_waiting(ending.run)

    @property
    def _word(self) -> bytes:
        return b"." * (1 + len(self.company))

    def namespace(self, link: str) -> int:
        """A descriptor of one of its namespaces, which the caller closes; raises OSError."""
        return os.open(f"/proc/{self.pid}/ns/{link}", os.O_RDONLY | os.O_CLOEXEC)


@contextlib.contextmanager
def open_resident(
    kinds: Sequence[Kind],
    call: Call,
    clock: Clock,
    *,
    shares_memory: bool = True,
    company: Company = ALONE,
) -> Iterator[Resident]:
    """A resident of new namespaces of ``kinds``, ended on leaving with its company.

    Raises:
        UnsupportedError: the kernel refuses them, or this processor's instructions are not known.
    """
    read_end, hold = os.pipe2(os.O_CLOEXEC)
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, hold)
        stack.callback(os.close, read_end)
        stack_memory = mmap.mmap(-1, _STACK, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        flags = flags_of(kinds) | (CLONE_VM if shares_memory else 0)
        waits_for = stack.enter_context(company.waiting(kinds, read_end))
        told = ctypes.create_string_buffer(
            struct.pack("=6q", hold, read_end, 0, company.count, company.flags(kinds), waits_for)
        )
        child = Child(system_calls.address_of(_resident_code()), ctypes.addressof(told))
        arguments = _arguments(call, flags, system_calls.address_of(stack_memory))
        making = Calls([arguments.numbers], child)
        _choose_number(clock)
        with _no_signals(), clock.going_first():
            ticks = clock.less_waiting(making.run)
        (pid,) = making.returned
        if pid < 0:
            raise UnsupportedError(
                f"{call} of {', '.join(kind.name for kind in kinds)}: {os.strerror(-pid)}",
                "run as root, or use a newer kernel: --lab guest",
            )
        resident = Resident(pid, ticks, hold)
        try:
            resident = replace(resident, company=company.gathered(pid, kinds))
            yield resident
        finally:
            with contextlib.suppress(BrokenPipeError):
                resident.let_go()
            for ended in (resident.pid, *resident.company):
                os.waitpid(ended, 0)


@contextlib.contextmanager
def open_neighbour(clock: Clock) -> Iterator[None]:
    """Where instructions are counted, a process whose number is beside that of residents to come.

    The tree of numbers has a node for each 64 (include/linux/xarray.h). Whether another process of
    the machine is in that of a resident is up to chance, and a new node costs 451 instructions.
    """
    if clock.name == "wall":
        yield
        return
    with open_resident((), "clone3", clock):
        yield


def _choose_number(clock: Clock) -> None:
    """Where instructions are counted, have the next process get the number that others got.

    The tree that the kernel finds a free one in has another shape at another number: from 256 on a
    process costs 32 instructions more. A guest is ours alone; on a host nothing is changed.
    """
    if clock.name == "instructions" and _LAST_NUMBER.exists():
        _LAST_NUMBER.write_text("20000")


@contextlib.contextmanager
def _no_signals() -> Iterator[None]:
    """Have no handler of Python's run in a resident, on its stack and in shared memory."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@dataclass(frozen=True)
class _Arguments:
    """A system call's number and five arguments, and the memory that they point to."""

    numbers: tuple[int, ...]
    memory: object = None


def _arguments(call: Call, flags: int, stack: int) -> _Arguments:
    if call == "clone":
        return _Arguments((system_calls.CLONE, flags | signal.SIGCHLD, stack + _STACK))
    # struct clone_args of linux/sched.h, its first version.
    memory = ctypes.create_string_buffer(
        struct.pack("=8Q", flags, 0, 0, 0, signal.SIGCHLD, stack, _STACK, 0)
    )
    return _Arguments((system_calls.CLONE3, ctypes.addressof(memory), 64), memory)


@cache
def _resident_code() -> mmap.mmap:
    return system_calls.executable(_RESIDENT)
