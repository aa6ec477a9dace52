"""What the plug-in of a traced guest wrote (cnbench/lab/guest/tracing/counter.c).

Records of 24 bytes in this machine's byte order: a kind, three numbers of 32 bits and one of 64.

| kind | | numbers |
| --- | --- | --- |
| 1 | a block of instructions | its number; the address of its first |
| 2 | a context | its number, its parent's, the calling block's; the address that was called |
| 3 | a count | context, block; instructions, in the segment that the next reading ends |
| 4 | a reading of the clock | the context of its thread; instructions executed since the start |

A context without a parent is a thread: the address is that of its stack.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnbench.core.errors import CnbenchError

_RECORD = np.dtype([("kind", "u4"), ("a", "u4"), ("b", "u4"), ("c", "u4"), ("d", "u8")])
_BLOCK, _CONTEXT, _COUNT, _READING = 1, 2, 3, 4

Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Trace:
    """A trace, its tables by number.

    Attributes:
        block: the address of each block; shape (blocks,).
        parent: of each context, 0 for a thread; shape (contexts,), as the next three.
        caller: the block that called.
        called: the address that it called.
        thread: the first ancestor.
        reading: instructions executed at each reading of the clock; shape (readings,).
        reader: the thread that read it.
        segment: which reading ends the segment of each count; shape (counts,), as the next three.
        context: of each count.
        at: its block.
        count: instructions.
    """

    block: Whole
    parent: Whole
    caller: Whole
    called: NDArray[np.uint64]
    thread: Whole
    reading: Whole
    reader: Whole
    segment: Whole
    context: Whole
    at: Whole
    count: Whole


def read_trace(path: Path) -> Trace:
    """The trace in ``path``.

    Raises:
        CnbenchError: nothing was written there.
    """
    records = np.fromfile(path, dtype=_RECORD)
    of = {kind: records[records["kind"] == kind] for kind in (_BLOCK, _CONTEXT, _COUNT, _READING)}
    if not len(of[_READING]):
        raise CnbenchError("the guest did not read its clock while it was traced")
    ends = np.flatnonzero(records["kind"] == _READING)
    counted = np.flatnonzero(records["kind"] == _COUNT)
    # What comes after the last reading has no end.
    whole = counted < ends[-1]
    counts = of[_COUNT][whole]
    parent = _by_number(of[_CONTEXT], "b")
    return Trace(
        block=_by_number(of[_BLOCK], "d"),
        parent=parent,
        caller=_by_number(of[_CONTEXT], "c"),
        called=_by_number(of[_CONTEXT], "d").view(np.uint64),
        thread=_first_ancestors(parent),
        reading=of[_READING]["d"].astype(np.int64),
        reader=of[_READING]["a"].astype(np.int64),
        segment=np.searchsorted(ends, counted[whole]).astype(np.int64),
        context=counts["a"].astype(np.int64),
        at=counts["b"].astype(np.int64),
        count=counts["d"].astype(np.int64),
    )


def _by_number(records: NDArray[Any], field: str) -> Whole:
    """A field of records, at the place that each one's number says; 0 where there is none."""
    table = np.zeros(int(records["a"].max(initial=0)) + 1, dtype=np.int64)
    table[records["a"]] = records[field].astype(np.uint64).view(np.int64)
    return table


def _first_ancestors(parent: Whole) -> Whole:
    ancestor = np.arange(len(parent))
    while (above := np.where(parent[ancestor] > 0, parent[ancestor], ancestor)).tolist() != (
        ancestor.tolist()
    ):
        ancestor = above
    return ancestor.astype(np.int64)
