"""The file of what kernels answered, which the report shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from cnbench.behaviours.table import Column, Table, table_of
from cnbench.core.codec import from_plain
from cnbench.core.errors import UsageError
from cnbench.store import whole_file
from cnbench.store.runs import results_folder

FORMAT = "cnbench-behaviours"
_SCHEMA = 1


def tables_file() -> Path:
    """Where the last answer of each kernel is kept: beside the folder of runs."""
    return results_folder().parent / "behaviours.json"


def plain(table: Table) -> dict[str, object]:
    """``table`` as JSON values, as it is in a file."""
    return {"format": FORMAT, "schema": _SCHEMA, "columns": asdict(table)["columns"]}


def read(path: Path) -> Table:
    """The table in ``path``; an empty one where there is no such file.

    Raises:
        UsageError: it cannot be read, or is another's.
    """
    try:
        text = path.read_text()
    except FileNotFoundError:
        return Table(())
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    try:
        found = json.loads(text)
        if found["format"] != FORMAT or found["schema"] > _SCHEMA:
            raise ValueError("another format")
        return table_of([from_plain(Column, column) for column in found["columns"]])
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(
            f"{path} is no table of behaviours of this cnbench: {error}", "move it away"
        ) from error


def keep(columns: Sequence[Column], path: Path) -> Table:
    """Write ``columns`` into the table in ``path``: a new answer replaces that kernel's older one.

    Raises:
        UsageError: what is there is another's, or it cannot be written.
    """
    known = {column.release: column for column in read(path).columns}
    for column in columns:
        known[column.release] = _merged(known.get(column.release), column)
    table = table_of(list(known.values()))
    contents = json.dumps(plain(table), indent=1, ensure_ascii=False) + "\n"
    whole_file.write(path, contents.encode(), "the table of behaviours")
    return table


def _merged(before: Column | None, now: Column) -> Column:
    """``now``, with what ``before`` answered to questions that were not asked this time."""
    if before is None:
        return now
    asked = {observation.behaviour for observation in now.observations}
    older = tuple(
        observation for observation in before.observations if observation.behaviour not in asked
    )
    return replace(now, observations=tuple(sorted(
        (*older, *now.observations), key=lambda observation: observation.behaviour)))  # fmt: skip
