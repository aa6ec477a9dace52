"""Run files: one JSON object, written whole or not at all."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import msgspec

from cnbench.core.errors import CnbenchError, UsageError
from cnbench.core.run import SCHEMA_VERSION, Run
from cnbench.core.units import known_units
from cnbench.store import whole_file


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
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the run file {path} cannot be read: {error.strerror}",
            "name a run file, an id, or `latest`",
        ) from error
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
        _check(run)
    except (ValueError, RecursionError, CnbenchError) as error:
        raise UsageError(f"the run file {path} is damaged: {error}") from error
    return run


def _check(run: Run) -> None:
    """Refuse a run with values that its own metrics or parameters could not have."""
    for name, explained in run.experiments.items():
        strange = set(explained.parameters.values()) - set(known_units())
        if strange:
            raise CnbenchError(f"a parameter of {name} has the unit '{strange.pop()}'")
    for result in run.cases:
        record = run.experiments.get(result.case.experiment)
        if record is None:
            raise CnbenchError(f"it has a case of {result.case.experiment}, but not its metrics")
        if result.case.params.keys() != record.parameters.keys():
            raise CnbenchError(f"{result.case.point} has not the parameters of its experiment")
        metrics = {metric.name: metric for metric in record.metrics}
        for sample in (*result.samples, *result.twin):
            if not sample.values.keys() <= metrics.keys():
                raise CnbenchError(f"a sample of {result.case.point} has a metric it explains not")
            if sample.values.keys() != result.samples[0].values.keys():
                raise CnbenchError(f"the samples of {result.case.point} differ in their metrics")
            for name, value in sample.values.items():
                metrics[name].check(value)


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
