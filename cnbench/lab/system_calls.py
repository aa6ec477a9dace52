"""System calls made one after the other by a few instructions, and timed by them.

Between two readings of its clock Python executes some 4,000 instructions more than the call that is
timed, and not always as many: an integer for which there is no room in the last pool of its
allocator costs 114 more, for as long as the allocator stands there. So the calls are made, and the
clock is read (clock_gettime(2), which asks no kernel), by instructions of our own.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import platform
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from cnbench.core.errors import UnsupportedError

CLONE, WRITE, CLOCK_NANOSLEEP, WAITID, CLONE3 = 56, 1, 230, 247, 435  # x86-64's syscall_64.tbl

# void run(struct { void *clock_gettime; struct timespec began, ended; long count;
#                   struct { long number, arguments[5], returned; } *calls;
#                   void *child, *told; } *)
_RUN = bytes.fromhex(
    "53 55 4154 4155"  # push rbx, rbp, r12, r13
    "4883ec08"  # sub rsp, 8
    "4889fb"  # mov rbx, rdi
    "4c8b6328"  # mov r12, [rbx + 40]     count
    "4c8b6b30"  # mov r13, [rbx + 48]     calls
    "4889e5"  # mov rbp, rsp
    "bf01000000"  # mov edi, 1            CLOCK_MONOTONIC, as time.perf_counter_ns() reads
    "488d7308"  # lea rsi, [rbx + 8]
    "ff13"  # call [rbx]
    "498b4500"  # next: mov rax, [r13]    the call's number
    "498b7d08"  # mov rdi, [r13 + 8]      and its arguments
    "498b7510"  # mov rsi, [r13 + 16]
    "498b5518"  # mov rdx, [r13 + 24]
    "4d8b5520"  # mov r10, [r13 + 32]
    "4d8b4528"  # mov r8, [r13 + 40]
    "0f05"  # syscall
    "4839ec"  # cmp rsp, rbp
    "7523"  # jne child                   on another stack: clone's other return
    "49894530"  # mov [r13 + 48], rax
    "4983c538"  # add r13, 56
    "49ffcc"  # dec r12
    "75d4"  # jnz next
    "bf01000000"  # mov edi, 1
    "488d7318"  # lea rsi, [rbx + 24]
    "ff13"  # call [rbx]
    "4883c408"  # add rsp, 8
    "415d 415c 5d 5b c3"  # pop r13, r12, rbp, rbx; ret
    "488b7b40"  # child: mov rdi, [rbx + 64]
    "ff6338"  # jmp [rbx + 56]
)
_CALL = struct.Struct("=7q")
_HEAD = struct.Struct("=9q")


@dataclass(frozen=True)
class Child:
    """What the child of a clone with a stack of its own does: ``code(told)``, and no return."""

    code: int = 0
    told: int = 0


class Calls:
    """System calls in turn, each a number and up to five arguments. On x86-64.

    Raises:
        UnsupportedError: the instructions of this machine's processor are not known here, or it
            lets no process write its own.
    """

    def __init__(self, calls: Sequence[tuple[int, ...]], child: Child = Child()) -> None:
        padded = ((*call, *(0,) * (6 - len(call)), 0) for call in calls)
        self._calls = ctypes.create_string_buffer(b"".join(_CALL.pack(*one) for one in padded))
        where = ctypes.addressof(self._calls)
        head = (_clock_gettime(), 0, 0, 0, 0, len(calls), where, child.code, child.told)
        self._head = ctypes.create_string_buffer(_HEAD.pack(*head))
        self._run = _run()

    def run(self) -> int:
        """Make the calls; the nanoseconds of Clock.ticks() that they took."""
        self._run(self._head)
        _, began, began_ns, ended, ended_ns, *_ = _HEAD.unpack_from(self._head)
        return int((ended - began) * 1_000_000_000 + ended_ns - began_ns)

    @property
    def returned(self) -> list[int]:
        """What each of them returned: below 0, a negative error number (errno(3))."""
        return [one[-1] for one in _CALL.iter_unpack(self._calls.raw[:-1])]


def executable(code: bytes) -> mmap.mmap:
    """Memory whose contents, ``code``, a processor may execute.

    Raises:
        UnsupportedError: this machine lets no process write its own instructions.
    """
    try:
        memory = mmap.mmap(-1, len(code), prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM):
            raise
        raise UnsupportedError("this machine lets no process write its own instructions") from error
    memory.write(code)
    return memory


def address_of(memory: mmap.mmap) -> int:
    """Where ``memory``, which can be written to, is."""
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


@cache
def _clock_gettime() -> int:
    function = ctypes.cast(ctypes.CDLL(None).clock_gettime, ctypes.c_void_p)
    return function.value or 0


@cache
def _run() -> ctypes._CFuncPtr:  # type: ignore[name-defined]
    """The function in ``_RUN``; it keeps Python's lock, which a child could not give back."""
    if platform.machine() != "x86_64":
        raise UnsupportedError(
            f"system calls without Python around them are not written for {platform.machine()}",
            "use call=unshare, or an x86-64 machine",
        )
    code = executable(_RUN)
    function = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(address_of(code))
    function.memory = code  # type: ignore[attr-defined]
    return function
