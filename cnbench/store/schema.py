"""Prints the JSON Schema of run files.

``python -m cnbench.store.schema > docs/run.schema.json`` brings the published one up to date.
"""

from __future__ import annotations

import json

from cnbench.store.run_file import schema


def text() -> str:
    """The schema as it is checked in."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(text(), end="")
