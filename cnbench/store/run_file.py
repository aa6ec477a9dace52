"""Run files: records line by line, or as all were once and exports are, one JSON object."""

from __future__ import annotations

import io
import os
import re
import stat
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import msgspec

from cnbench.core.errors import CnbenchError, UsageError
from cnbench.core.run import SCHEMA_VERSION, CaseResult, ExperimentRecord, Run
from cnbench.store import one_object, record_reader, records, whole_file
from cnbench.store.checks import check_case
from cnbench.store.sources import InFile, InMemory, Source, identity_of

# A full run of everything, as one object, has a hundredth of it.
_MOST_BYTES = 256 << 20
# What is smaller is read whole at once: nothing can happen to it between two reads.
_SMALL = 1 << 20
# What msgspec writes first of one object: a run's first three fields.
_TEXT = rb'"(?:[^"\\]|\\.)*"'
_BEGIN = re.compile(
    rb'\s*\{\s*"id":\s*' + _TEXT + rb',\s*"started":\s*' + _TEXT + rb',\s*"cnbench":'
)


class _Header(msgspec.Struct):
    """What tells a run file from any other JSON, and this version's from another's."""

    format: str
    schema: int


def read(path: Path) -> Run:
    """The run in ``path``; of records, samples are read from there when they are asked for.

    Raises:
        UsageError: there is no such file, or it is damaged, foreign, or of a newer cnbench; the
            message says which, and where in the file. Asking for samples raises it too, where
            these are damaged.
    """
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            begin = file.read(len(records.BEGIN))
            if begin == records.BEGIN and stat.S_ISREG(found.st_mode) and found.st_size > _SMALL:
                file.seek(0)
                source = InFile(path.absolute(), identity_of(found))
                return _from_records(file, found.st_size, source, path)
            text = begin + file.read(_MOST_BYTES + 1 - len(begin))
    except OSError as error:
        raise UsageError(
            f"the run file {path} cannot be read: {error.strerror}",
            "name a run file, an id, or `latest`",
        ) from error
    if len(text) > _MOST_BYTES:
        raise UsageError(f"{path} is not a cnbench run file: it has more than 256 MiB")
    return decoded(text, path)


def decoded(text: bytes, path: Path) -> Run:
    """The run that ``text``, the contents of ``path``, is; errors as ``read``."""
    if text.startswith(records.BEGIN):
        return _from_records(io.BytesIO(text), len(text), InMemory(text), path)
    _check_header(text, path)
    try:
        return one_object.decode(text)
    except (ValueError, RecursionError, CnbenchError) as error:
        raise _damaged(path, error) from error


def _from_records(file: BinaryIO, size: int, source: Source, path: Path) -> Run:
    _check_header(file.readline(records.LONGEST_LINE), path)
    file.seek(0)
    try:
        return record_reader.read(file, size, source, partial(_damaged, path))
    except (ValueError, RecursionError, CnbenchError) as error:
        raise _damaged(path, error) from error


def _check_header(text: bytes, path: Path) -> None:
    try:
        header = msgspec.json.decode(text, type=_Header)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not a cnbench run file: {error}") from error
    if header.format != "cnbench-run":
        raise UsageError(f"{path} is not a cnbench run file: its format is '{header.format}'")
    if header.schema > SCHEMA_VERSION:
        raise UsageError(
            f"{path} was written by a newer cnbench (schema {header.schema}, here "
            f"{SCHEMA_VERSION})",
            "update cnbench",
        )


def _damaged(path: Path, what: object) -> UsageError:
    return UsageError(f"the run file {path} is damaged: {what}")


def kept(result: CaseResult, record: ExperimentRecord) -> CaseResult:
    """``result`` as a reader will have it once it is in a file.

    Raises:
        CnbenchError: no file can have it; the message says why.
    """
    try:
        check_case(replace(result, samples=tuple(result.samples), twin=tuple(result.twin)), record)
        line = records.case(result)
        return record_reader.case_in(line, {result.case.experiment: record})
    except (ValueError, RecursionError, TypeError, AttributeError) as error:
        raise CnbenchError(f"it cannot be written to a run file: {error}") from error


def begins_one(begin: bytes) -> bool:
    """Whether a file that begins so is a run file, be it whole or not."""
    return begin.startswith(records.BEGIN) or bool(_BEGIN.match(begin))


def write(run: Run, path: Path) -> int:
    """Write ``run`` to ``path`` in one step: a reader sees the old file or the new, never a part.

    Returns:
        How many bytes it has.

    Raises:
        UsageError: it could not be written (a full disk, a read-only folder); what was in
            ``path`` before is still there.
    """
    contents = encoded(run)
    whole_file.write(path, contents, "the run file")
    return len(contents)


def encoded(run: Run) -> bytes:
    """The contents of the file of ``run``: its records."""
    return b"".join(
        [
            records.head_of(run),
            *map(records.environment, run.fingerprints.values()),
            *map(records.case, run.cases),
            *([records.finished(run.finished)] if run.finished else []),
        ]
    )
