"""Tables of system calls, carried out one after another without Python in between.

What a runtime asks of the kernel to start a container, and nothing else: the least that it can cost
on this machine. The child of a table's clone3 shares its maker's memory (CLONE_VM with CLONE_VFORK,
as posix_spawn has it), so that no page tables are copied, and goes on with a table of its own,
whose last call is execve. A call that fails ends its table: the maker's returns, the child exits.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import signal
from collections.abc import Sequence
from functools import cache

from cnbench.core.errors import CnbenchError, UnsupportedError

# asm/unistd_64.h
NUMBERS = {
    "write": 1, "close": 3, "execve": 59, "chdir": 80, "mkdir": 83, "pivot_root": 155, "prctl": 157,
    "mount": 165, "umount2": 166, "sethostname": 170, "openat": 257, "seccomp": 317, "clone3": 435,
    "rt_sigprocmask": 14,
}  # fmt: skip
_END, _WORDS = -1, 8
# long carry_out(struct { long number, arguments[6], result; } *entry), where the number -1 ends the
# table. The child of a clone3 goes on at the entry that its fourth argument points to.
_CODE = bytes.fromhex(
    "53"  # push rbx
    "55"  # push rbp
    "4889fb"  # mov rbx, rdi
    "31ed"  # xor ebp, ebp              whether this is the child
    "488b03"  # next: mov rax, [rbx]
    "4883f8ff"  # cmp rax, -1
    "743b"  # je done
    "488b7b08"  # mov rdi, [rbx + 8]
    "488b7310"  # mov rsi, [rbx + 16]
    "488b5318"  # mov rdx, [rbx + 24]
    "4c8b5320"  # mov r10, [rbx + 32]
    "4c8b4328"  # mov r8, [rbx + 40]
    "4c8b4b30"  # mov r9, [rbx + 48]
    "0f05"  # syscall
    "48894338"  # mov [rbx + 56], rax
    "4885c0"  # test rax, rax
    "7818"  # js done
    "7510"  # jnz forth
    "813bb3010000"  # cmp dword [rbx], 435
    "7508"  # jne forth
    "488b5b20"  # mov rbx, [rbx + 32]   the child's table
    "ffc5"  # inc ebp
    "ebc2"  # jmp next
    "4883c340"  # forth: add rbx, 64
    "ebbc"  # jmp next
    "85ed"  # done: test ebp, ebp
    "740c"  # jz back
    "bf01000000"  # mov edi, 1
    "b8e7000000"  # mov eax, 231        exit_group
    "0f05"  # syscall
    "4889d8"  # back: mov rax, rbx      where the table ended
    "5d"  # pop rbp
    "5b"  # pop rbx
    "c3"  # ret
)


class Table:
    """System calls in their order; texts are kept for as long as the table is."""

    def __init__(self) -> None:
        self._calls: list[tuple[str, tuple[int, ...]]] = []
        self._memory: list[object] = []
        self._laid_out: ctypes.Array[ctypes.c_long] | None = None

    def call(self, name: str, *arguments: int | bytes | str | ctypes.Array[ctypes.c_char]) -> None:
        """Add the call ``name`` of ``NUMBERS``; texts and arrays are passed by their address."""
        self._calls.append((name, tuple(map(self._word, arguments))))

    def _word(self, argument: int | bytes | str | ctypes.Array[ctypes.c_char]) -> int:
        if isinstance(argument, int):
            return argument
        if isinstance(argument, str):
            argument = os.fsencode(argument)
        if isinstance(argument, bytes):
            argument = ctypes.create_string_buffer(argument)
        self._memory.append(argument)
        return ctypes.addressof(argument)

    def clone(self, flags: int, child: Table) -> None:
        """Add a clone3 whose child goes on with ``child``.

        The maker waits until the child has called execve, or has ended.
        """
        sharing = 0x100 | 0x4000  # CLONE_VM, CLONE_VFORK
        # struct clone_args of linux/sched.h, its first version.
        words = (flags | sharing, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
        arguments = (ctypes.c_uint64 * len(words))(*words)
        self.keep(arguments, child)
        size = ctypes.sizeof(arguments)
        self.call("clone3", ctypes.addressof(arguments), size, 0, child.address())

    def __len__(self) -> int:
        """How many calls it has."""
        return len(self._calls)

    def keep(self, *memory: object) -> None:
        """Keep what the arguments of calls point to, for as long as the table is."""
        self._memory += memory

    def address(self) -> int:
        """Where the table is in memory; nothing is added to it from then on."""
        if self._laid_out is None:
            words: list[int] = []
            for name, arguments in self._calls:
                words += [NUMBERS[name], *arguments, *[0] * (_WORDS - 1 - len(arguments))]
            self._laid_out = (ctypes.c_long * (len(words) + 1))(*words, _END)
        return ctypes.addressof(self._laid_out)

    def results(self) -> list[int]:
        """What each call returned, an error as its negative number; 0 of those not made."""
        self.address()
        words = list(self._laid_out or ())
        return words[_WORDS - 1 :: _WORDS]

    def refused(self) -> str:
        """The first call that failed, and why; empty where all went well."""
        for (name, _), result in zip(self._calls, self.results(), strict=True):
            if result < 0:
                return f"{name}: {os.strerror(-result)}"
        return ""


def carry_out(table: Table) -> None:
    """Make the calls of ``table``.

    Raises:
        CnbenchError: one of them failed.
        UnsupportedError: this processor's instructions are not known.
    """
    function, address = _function(), table.address()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        function(address)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    if refused := table.refused():
        raise CnbenchError(refused)


@cache
def _function() -> ctypes._CFuncPtr:  # type: ignore[name-defined]
    if platform.machine() != "x86_64":
        raise UnsupportedError(
            f"system calls without Python are not written for {platform.machine()}",
            "use an x86-64 machine",
        )
    code = mmap.mmap(-1, len(_CODE), prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(_CODE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    # It keeps Python's lock, which a child could not give back.
    function = ctypes.PYFUNCTYPE(ctypes.c_long, ctypes.c_void_p)(address)
    function.memory = code  # type: ignore[attr-defined]
    return function


def pointers(texts: Sequence[str]) -> tuple[object, int]:
    """``texts`` as execve(2) takes them: the memory to keep, and its address."""
    encoded = [os.fsencode(text) for text in texts]
    array = (ctypes.c_char_p * (len(encoded) + 1))(*encoded, None)
    return array, ctypes.addressof(array)
