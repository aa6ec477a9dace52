"""What a layer made with metacopy shows without it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from cnbench.behaviours.behaviour import Behaviour
from cnbench.behaviours.calls import refusal
from cnbench.behaviours.overlay.stage import open_stage
from cnbench.lab.host import Lab

_TEXT = "what the image has"


def _fill(lower: Path) -> None:
    (lower / "file").write_text(_TEXT)


def _probe(lab: Lab, later: str = "metacopy=off") -> str:
    with open_stage(lab) as stage:
        _fill(stage.lower)
        with stage.mounted(lab, "metacopy=on"):
            (stage.merged / "file").chmod(0o600)
        with stage.mounted(lab, later):
            try:
                read = (stage.merged / "file").read_text()
            except OSError as error:
                return refusal(error)
    return (
        "its content" if read == _TEXT else f"{len(read)} bytes, all zero: {not read.strip(chr(0))}"
    )


BEHAVIOUR = Behaviour(
    name="overlay.metacopy-left",
    question="What is read of a file whose metadata alone was copied up, mounted without metacopy?",
    method="changes a file's mode with metacopy=on, and reads it mounted with metacopy=off",
    matters="changing a module's option or a runtime's setting must not empty containers' files",
    source="fs/overlayfs/namei.c: ovl_lookup, and Documentation/filesystems/overlayfs.rst",
    probe=_probe,
    controls=(partial(_probe, later="metacopy=on"),),
)
