"""Frames as a file that Wireshark and tcpdump open.

The format is that of draft-ietf-opsawg-pcap: a file header, then a header before each frame.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from cnbench.probes.tap import SNAP, Frame

_NANOSECONDS_MAGIC = 0xA1B23C4D
_VERSION = (2, 4)
_ETHERNET = 1


def encode(frames: Iterable[Frame]) -> bytes:
    """``frames`` as a capture file's contents, with times in nanoseconds."""
    parts = [struct.pack("<IHHiIII", _NANOSECONDS_MAGIC, *_VERSION, 0, 0, SNAP, _ETHERNET)]
    for frame in frames:
        header = (frame.seconds, frame.nanoseconds, len(frame.data), frame.length)
        parts += [struct.pack("<IIII", *header), frame.data]
    return b"".join(parts)
