"""Published figures on what the first change of a file costs, and what saves of it."""

from __future__ import annotations

from cnbench.analysis.published.figure import RATIO, Figure
from cnbench.analysis.published.ours import difference_of, ratio_of

_KIB = 2**10
_WITHOUT_REFLINK, _WITH_REFLINK = 4.52, 1.45

PUBLISHED = (
    Figure(
        "copy-up",
        "what the sync costs a small file",
        "1-byte files, with and without volatile",
        8e-3,
        8e-3,
        "s",
        "dagger#11559",
        difference_of(
            "latency",
            {"options": "default"},
            {"options": "volatile"},
            trigger="open",
            size=4 * _KIB,
        ),
        unlike=("files of 1 byte there, of 4 KiB here",),
    ),
    Figure(
        "copy-up",
        "with shared extents over without",
        f"chown of a tree in fuse-overlayfs on XFS: {_WITHOUT_REFLINK} to {_WITH_REFLINK} s",
        _WITH_REFLINK / _WITHOUT_REFLINK,
        _WITH_REFLINK / _WITHOUT_REFLINK,
        RATIO,
        "fuse-overlayfs#60",
        ratio_of(
            "latency",
            {"lower": "same"},
            {"lower": "other"},
            filesystem="xfs",
            driver="fuse-overlayfs",
        ),
        unlike=("a tree of many files there, one file here",),
    ),
)
