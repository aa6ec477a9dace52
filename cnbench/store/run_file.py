"""Run files: one JSON object, written whole or not at all."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import msgspec

from cnbench.core.errors import CnbenchError, UsageError
from cnbench.core.run import SCHEMA_VERSION, CaseResult, ExperimentRecord, Run
from cnbench.store import whole_file
from cnbench.store.checks import check_case, check_run

# A full run of everything has a hundredth of it.
_MOST_BYTES = 256 << 20
# What msgspec writes first: a run's first three fields.
_TEXT = rb'"(?:[^"\\]|\\.)*"'
_BEGIN = re.compile(
    rb'\s*\{\s*"id":\s*' + _TEXT + rb',\s*"started":\s*' + _TEXT + rb',\s*"cnbench":'
)


class _Header(msgspec.Struct):
    """What tells a run file from any other JSON, and this version's from another's."""

    format: str
    schema: int


def read(path: Path) -> Run:
    """The run in ``path``.

    Raises:
        UsageError: there is no such file, or it is damaged, foreign, or of a newer cnbench; the
            message says which, and where in the file.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES + 1)
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
    try:
        run = msgspec.json.decode(text, type=Run)
        check_run(run)
    except (ValueError, RecursionError, CnbenchError) as error:
        raise UsageError(f"the run file {path} is damaged: {error}") from error
    return run


def kept(result: CaseResult, record: ExperimentRecord) -> CaseResult:
    """``result`` as a reader will have it once it is in a file.

    Raises:
        CnbenchError: no file can have it; the message says why.
    """
    try:
        read_back = msgspec.json.decode(msgspec.json.encode(result), type=CaseResult)
    except (ValueError, RecursionError) as error:
        raise CnbenchError(f"it cannot be written to a run file: {error}") from error
    check_case(read_back, record)
    return read_back


def begins_one(begin: bytes) -> bool:
    """Whether a file that begins so is a run file, be it whole or not."""
    return bool(_BEGIN.match(begin))


def write(run: Run, path: Path) -> None:
    """Write ``run`` to ``path`` in one step: a reader sees the old file or the new, never a part.

    Raises:
        UsageError: it could not be written (a full disk, a read-only folder); what was in
            ``path`` before is still there.
    """
    text = msgspec.json.format(msgspec.json.encode(run), indent=1)
    whole_file.write(path, text + b"\n", "the run file")


def schema() -> dict[str, Any]:
    """The JSON Schema of run files, made from the dataclasses and their docstrings."""
    made = msgspec.json.schema(Run)
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = f"cnbench run file, schema {SCHEMA_VERSION}"
    for definition in made["$defs"].values():
        # Python 3.13 takes a docstring's indentation away by itself.
        definition["description"] = inspect.cleandoc(definition["description"])
    # They have defaults in the code, but what reads a file recognises it by them.
    made["$defs"]["Run"]["required"] += ["schema", "format"]
    return made
