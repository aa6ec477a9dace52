"""A run as lines of JSON: a head, then a record for whatever came, one after the other.

Only whole records count, so a file that ends anywhere is a run: what a killed process had half
written is as if it had not been begun. A case's record is followed by a line for each column of its
samples, whose lengths it tells, so that a reader passes over what it does not want. A case that
comes again replaces what was there of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

import msgspec

from cnbench.core.fingerprint import Fingerprint
from cnbench.core.run import CaseResult, ExperimentRecord, Request, Run
from cnbench.store.columns import DISTURBANCES, Columns, columns_of
from cnbench.store.packing import Packed, Type, pack, pack_disturbances

BEGIN = b'{"format":"cnbench-run",'
# A case's samples at most: a minute of the shortest there are has a quarter of it.
_MOST_SAMPLES = 1 << 22
LONGEST_LINE = 64 << 20

Count = Annotated[int, msgspec.Meta(ge=0, le=_MOST_SAMPLES)]
Bytes = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_LINE)]


class Column(msgspec.Struct, frozen=True, omit_defaults=True):
    """A column of samples: ``block``, ``values.METRIC`` and so on.

    Attributes:
        name: the field of a sample; one that is left out has its default in all samples.
        type: of the numbers, all little-endian; ``json`` has pairs of a sample's place and
            sentences.
        bytes: the length of its line, a JSON string of base64, the line's end included.
        deflated: whether what base64 has is compressed (RFC 1950).
    """

    name: str
    type: Type
    bytes: Bytes
    deflated: bool = False


class Table(msgspec.Struct, frozen=True):
    """Samples: how many, and their columns, whose lines follow the record in this order."""

    count: Count
    columns: list[Column]


class Head(msgspec.Struct, frozen=True):
    """The first line: what was asked for, and all that explains the cases."""

    format: str
    schema: int
    id: str
    started: str
    cnbench: str
    request: Request
    experiments: dict[str, ExperimentRecord]
    node: str = ""


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """Any later line that is an object: an environment, a case, or that the run was finished."""

    environment: Fingerprint | None = None
    result: CaseResult | None = None
    samples: Table | None = None
    twin: Table | None = None
    finished: str | None = None


def head_of(run: Run) -> bytes:
    """The first line of ``run``."""
    return _line({"format": run.format} | {
        name: getattr(run, name)
        for name in ("schema", "id", "started", "cnbench", "request", "experiments", "node")
    })  # fmt: skip


def environment(found: Fingerprint) -> bytes:
    """The record of an environment."""
    return _line({"environment": found})


def finished(when: str) -> bytes:
    """The record of a run's end."""
    return _line({"finished": when})


def case(result: CaseResult) -> bytes:
    """The record of a case, and the lines of its samples."""
    plain = msgspec.to_builtins(replace(result, samples=(), twin=()))
    del plain["samples"], plain["twin"]
    record: dict[str, Any] = {"result": plain}
    lines = []
    for name, samples in (("samples", result.samples), ("twin", result.twin)):
        if samples:
            packed = dict(_packed(columns_of(samples)))
            record[name] = Table(
                len(samples),
                [Column(n, p.type, len(p.line), p.deflated) for n, p in packed.items()],
            )
            lines += [p.line for p in packed.values()]
    return _line(record) + b"".join(lines)


def _packed(columns: Columns) -> Iterator[tuple[str, Packed]]:
    for name in columns.names:
        if name == DISTURBANCES:
            yield name, pack_disturbances(columns.disturbances)
        else:
            yield name, pack(columns.read(name))


def _line(plain: object) -> bytes:
    return msgspec.json.encode(plain) + b"\n"
