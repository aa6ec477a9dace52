"""Journals and resources, for tests."""

import json
import uuid
from pathlib import Path

from cnbench.lab.resources import MARK, Resource


def ours(parent, kind="folder"):
    """A resource named as a run names them."""
    return Resource(kind, str(parent / f"{MARK}{uuid.uuid4().hex[:12]}"))


def line(event, resource):
    return json.dumps({event: {"kind": resource.kind, "what": resource.what}}) + "\n"


def dead_journal(folder, *lines, name="dead"):
    path = folder / f"{name}.jsonl"
    path.write_text("".join(lines))
    return path


def make(resource):
    Path(resource.what).mkdir()
    Path(resource.what, "inside").write_text("something")
    return resource
