"""A column of numbers as a line of text, and back: base64 of its little-endian bytes, deflated.

mzML keeps the spectra of mass spectrometers so, and VTK its meshes. What deflating does not make
smaller by an eighth is left as it is: it would only take time to read.
"""

from __future__ import annotations

import base64
import binascii
import sys
import zlib
from array import array
from typing import Literal, cast

import msgspec

from cnbench.core.errors import CnbenchError
from cnbench.store.columns import Disturbances, Numbers

Type = Literal["f8", "i1", "i2", "i4", "json"]

_CODES: dict[str, str] = {"f8": "d", "i1": "b", "i2": "h", "i4": "i"}
_WORTH_DEFLATING = 7 / 8
# Sentences about disturbed samples; a run of hours on a busy machine has some megabytes of them.
_MOST_TEXT = 64 << 20


class Packed(msgspec.Struct, frozen=True):
    """A column's type, whether it is deflated, and its line: a JSON string."""

    type: Type
    deflated: bool
    line: bytes


def pack(numbers: Numbers) -> Packed:
    """``numbers``, whole ones in as few bytes as the largest needs."""
    if numbers.typecode == "d":
        return _packed("f8", numbers)
    narrow = _narrowest(cast("array[int]", numbers))
    return _packed(narrow, array(_CODES[narrow], numbers))


def _narrowest(numbers: array[int]) -> Type:
    low, high = min(numbers, default=0), max(numbers, default=0)
    bits = max((-low - 1).bit_length() if low < 0 else 0, high.bit_length()) + 1
    return next(name for name in ("i1", "i2", "i4") if bits <= 8 * int(name[1]))


def _packed(kind: Type, numbers: Numbers) -> Packed:
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return _line(kind, numbers.tobytes())


def pack_disturbances(disturbances: Disturbances) -> Packed:
    """Sentences by the place of their sample."""
    return _line("json", msgspec.json.encode(list(disturbances.items())))


def _line(kind: Type, contents: bytes) -> Packed:
    smaller = zlib.compress(contents)
    deflated = len(smaller) <= _WORTH_DEFLATING * len(contents)
    text = base64.b64encode(smaller if deflated else contents)
    return Packed(kind, deflated, b'"' + text + b'"\n')


def unpack(packed: Packed, count: int) -> Numbers:
    """The ``count`` numbers that were packed.

    Raises:
        CnbenchError: it is none, or of another number of them.
    """
    numbers: Numbers = array(_CODES[packed.type])
    contents = _contents(packed, count * numbers.itemsize)
    if len(contents) != count * numbers.itemsize:
        raise CnbenchError(f"it has not the numbers of {count} samples")
    numbers.frombytes(contents)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def unpack_disturbances(packed: Packed, count: int) -> Disturbances:
    """Sentences by the place of their sample, below ``count``; errors as ``unpack``."""
    text = _contents(packed, _MOST_TEXT)
    try:
        found = msgspec.json.decode(text, type=list[tuple[int, tuple[str, ...]]])
    except (ValueError, RecursionError) as error:
        raise CnbenchError(str(error)) from error
    if not all(0 <= place < count for place, _ in found):
        raise CnbenchError(f"it tells of samples that are not among {count}")
    return dict(found)


def _contents(packed: Packed, most: int) -> bytes:
    if packed.line[:1] != b'"' or packed.line[-2:] != b'"\n':
        raise CnbenchError("it is no line of text")
    try:
        contents = base64.b64decode(packed.line[1:-2], validate=True)
        if not packed.deflated:
            return contents
        inflating = zlib.decompressobj()
        # One byte more than there can be: what is larger is refused, however far it would grow.
        contents = inflating.decompress(contents, most + 1)
    except (binascii.Error, zlib.error) as error:
        raise CnbenchError(str(error)) from error
    if not inflating.eof or len(contents) > most:
        raise CnbenchError("it has not the length that it says")
    return contents
