"""Traces as the plug-in writes them, made by hand."""

from __future__ import annotations

import struct
from pathlib import Path

KERNEL = 0xFFFF_FFFF_8100_0000
USER = 0x5555_0000_0000
# Three functions of a kernel and one of a module, as a guest tells them.
LISTED = f"""\
{KERNEL:x} T entry_SYSCALL_64
{KERNEL + 0x100:x} t do_connect.isra.0
{KERNEL + 0x100:x} t an_alias
{KERNEL + 0x200:x} t walk
{KERNEL + 0x1000:x} T ipt_do_table\t[ip_tables]
"""
ENTRY, CONNECT, WALK, TABLE, PYTHON, OTHERS = 1, 2, 3, 4, 5, 6
THREAD, IDLER = 2, 3
IN_CONNECT, IN_TABLE = 4, 5


class MadeUp:
    """Records of one thread that connects, and of an idler."""

    def __init__(self) -> None:
        self._records = b""
        self._executed = 0
        at = {ENTRY: 0, CONNECT: 0x110, WALK: 0x210, TABLE: 0x1010}
        for number, offset in at.items():
            self._add(1, number, d=KERNEL + offset)
        for number, address in ((PYTHON, USER), (OTHERS, USER + 0x1000)):
            self._add(1, number, d=address)
        self._add(2, 1)
        self._add(2, THREAD, d=0xFFFF_C900_0000_0000)
        self._add(2, IDLER, d=0xFFFF_C900_0001_0000)
        self._add(2, IN_CONNECT, THREAD, ENTRY, KERNEL + 0x100)
        # do_connect jumps to walk, which calls the module's function.
        self._add(2, IN_TABLE, IN_CONNECT, WALK, KERNEL + 0x1000)

    def count(self, context: int, block: int, instructions: int) -> MadeUp:
        self._executed += instructions
        self._add(3, context, block, d=instructions)
        return self

    def reading(self, thread: int = THREAD) -> MadeUp:
        self._add(4, thread, d=self._executed)
        return self

    def connection(self, rules: int) -> MadeUp:
        """100 instructions and ten a rule, between two readings; Python before it."""
        self.count(THREAD, PYTHON, 7777).reading()
        self.count(THREAD, PYTHON, 20).count(THREAD, ENTRY, 30).count(IN_CONNECT, CONNECT, 50)
        return self.count(IN_TABLE, TABLE, 10 * rules).reading()

    def written(self, folder: Path) -> Path:
        path = folder / "trace"
        path.write_bytes(self._records)
        return path

    def _add(self, kind: int, a: int, b: int = 0, c: int = 0, d: int = 0) -> None:
        self._records += struct.pack("=IIIIQ", kind, a, b, c, d)
