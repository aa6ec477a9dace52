"""Prints the JSON Schema of run files.

``python -m cnbench.store.schema > docs/run.schema.json`` brings the published one up to date.
"""

from __future__ import annotations

import inspect
import json
from typing import Any

import msgspec

from cnbench.core.run import SCHEMA_VERSION, Run
from cnbench.store.records import Head, Record


def schema() -> dict[str, Any]:
    """The JSON Schema of any line, made from the dataclasses and their docstrings.

    ``$defs/Run`` is the whole run as one object: ``export --to json``, and files up to schema 2.
    """
    (head, record, _), definitions = msgspec.json.schema_components(
        [Head, Record, Run], ref_template="#/$defs/{name}"
    )
    for definition in definitions.values():
        # Python 3.13 takes a docstring's indentation away by itself.
        definition["description"] = inspect.cleandoc(definition["description"])
        # msgspec states empty defaults since 0.23; the published page is the same with any.
        for told in definition["properties"].values():
            if told.get("default") in ([], {}):
                del told["default"]
    # They have defaults in the code, but what reads a file recognises it by them.
    definitions["Run"]["required"] += ["schema", "format"]
    column = {
        "type": "string",
        "contentEncoding": "base64",
        "description": "A column of samples, as the record before it says.",
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"a line of a cnbench run file, schema {SCHEMA_VERSION}",
        "anyOf": [head, record, column],
        "$defs": definitions,
    }


def text() -> str:
    """The schema as it is checked in."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(text(), end="")
