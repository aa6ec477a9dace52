"""Reads a run from its records: all about its cases, and of their samples where these lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO, TypeVar

import msgspec

from cnbench.core.errors import CnbenchError
from cnbench.core.run import CaseResult, ExperimentRecord, Run, Sample
from cnbench.store import checks
from cnbench.store.columns import (
    ALWAYS,
    DISTURBANCES,
    VALUES,
    WHOLE,
    WITNESS,
    Columns,
    Disturbances,
    Numbers,
)
from cnbench.store.packing import Packed, unpack, unpack_disturbances
from cnbench.store.records import LONGEST_LINE, Column, Head, Record, Table
from cnbench.store.sources import InMemory, Source

T = TypeVar("T")


def read(file: BinaryIO, size: int, source: Source, lost: Callable[[str], CnbenchError]) -> Run:
    """The run in ``file``, of ``size`` bytes; its samples are read from ``source`` when wanted.

    Args:
        file: at its begin.
        size: of the whole file.
        source: the same bytes.
        lost: makes the error for samples that turn out to be damaged, from what is wrong.

    Raises:
        CnbenchError, ValueError, RecursionError: it is damaged.
    """
    head = msgspec.json.decode(file.readline(LONGEST_LINE), type=Head)
    run = Run(**{name: getattr(head, name) for name in Head.__struct_fields__})
    checks.check_experiments(run.experiments)
    cases: dict[str, CaseResult] = {}
    for at, record in _records(file, size):
        if record.environment is not None:
            run.fingerprints[record.environment.digest] = record.environment
        if record.result is not None:
            result = _case(record, run.experiments, _Place(source, at, lost))
            cases.pop(result.case.key, None)
            cases[result.case.key] = result
        run.finished = record.finished or run.finished
    run.cases = list(cases.values())
    return run


def case_in(lines: bytes, known: Mapping[str, ExperimentRecord]) -> CaseResult:
    """The case that ``lines``, a record and its columns, are of, to stay in memory.

    Raises:
        CnbenchError, ValueError: they are none.
    """
    end = lines.index(b"\n") + 1
    record = msgspec.json.decode(lines[:end], type=Record)
    return _case(record, known, _Place(InMemory(lines), end, CnbenchError))


def _records(file: BinaryIO, size: int) -> Iterator[tuple[int, Record]]:
    """The whole records, each with the place where the lines of its columns begin."""
    at, number = file.tell(), 1
    while (line := file.readline(LONGEST_LINE)).endswith(b"\n"):
        number += 1
        try:
            record = msgspec.json.decode(line, type=Record)
        except (ValueError, RecursionError) as error:
            raise CnbenchError(f"record {number}: {error}") from error
        begin = at + len(line)
        at = begin + sum(column.bytes for column in _columns(record))
        if at > size:
            return
        yield begin, record
        file.seek(at)


def _columns(record: Record) -> list[Column]:
    return [column for table in (record.samples, record.twin) if table for column in table.columns]


@dataclass(frozen=True)
class _Place:
    """Where the columns of a case lie."""

    source: Source
    at: int
    lost: Callable[[str], CnbenchError]


def _case(record: Record, known: Mapping[str, ExperimentRecord], place: _Place) -> CaseResult:
    result = record.result
    assert result is not None  # noqa: S101
    explained = checks.explained(result.case, known)
    checks.check_case(replace(result, samples=(), twin=()), explained)
    tables = (record.samples, record.twin)
    for table in tables:
        _check_table(table, tables[0], result, explained)
    samples = _samples(record.samples, place, result, explained)
    behind = place.at + sum(c.bytes for c in (record.samples.columns if record.samples else ()))
    twin = _samples(record.twin, replace(place, at=behind), result, explained)
    return replace(result, samples=samples, twin=twin)


def _check_table(
    table: Table | None, first: Table | None, result: CaseResult, explained: ExperimentRecord
) -> None:
    if table is None:
        return
    names = [column.name for column in table.columns]
    metrics = {name for name in names if name.startswith(VALUES)}
    point = result.case.point
    if not table.count or len(set(names)) < len(names) or not {*ALWAYS} <= {*names}:
        raise CnbenchError(f"the samples of {point} have not the columns of samples")
    if not metrics or not metrics <= {VALUES + metric.name for metric in explained.metrics}:
        raise CnbenchError(f"a sample of {point} has a metric it explains not")
    if first and metrics != {c.name for c in first.columns if c.name.startswith(VALUES)}:
        raise CnbenchError(f"the samples of {point} differ in their metrics")
    for column in table.columns:
        if column.type not in _types(column.name):
            raise CnbenchError(f"the column {column.name} of {point} is no {column.type}")


def _types(name: str) -> Sequence[str]:
    if name == DISTURBANCES:
        return ("json",)
    if name in WHOLE:
        return ("i1", "i2", "i4")
    if name in ("started", "duration") or name.startswith((VALUES, WITNESS)):
        return ("f8",)
    return ()


def _samples(
    table: Table | None, place: _Place, result: CaseResult, explained: ExperimentRecord
) -> Sequence[Sample]:
    if table is None:
        return ()
    lines: dict[str, tuple[int, Column]] = {}
    at = place.at
    for column in table.columns:
        lines[column.name] = at, column
        at += column.bytes
    reader = _Reader(place, lines, table.count, result.case.point, explained)
    return Columns(table.count, [*lines], reader.numbers, reader.disturbances)


@dataclass(frozen=True)
class _Reader:
    """Reads the columns of one case's samples."""

    place: _Place
    lines: dict[str, tuple[int, Column]]
    count: int
    point: str
    explained: ExperimentRecord

    def numbers(self, name: str) -> Numbers:
        check: Callable[[Numbers], None] = partial(checks.check_column, self.explained, name)
        return self._read(name, unpack, check)

    def disturbances(self) -> Disturbances:
        return self._read(DISTURBANCES, unpack_disturbances, lambda found: None)

    def _read(
        self, name: str, unpacked: Callable[[Packed, int], T], check: Callable[[T], None]
    ) -> T:
        at, column = self.lines[name]
        line = self.place.source.read(at, column.bytes)
        try:
            found = unpacked(Packed(column.type, column.deflated, line), self.count)
            check(found)
        except CnbenchError as error:
            raise self.place.lost(f"{name} of {self.point}: {error}") from error
        return found
