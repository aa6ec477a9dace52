"""Whether an overlay inside an overlay can keep its marks."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from cnbench.behaviours.behaviour import Behaviour
from cnbench.behaviours.calls import refusal
from cnbench.behaviours.overlay.stage import open_overlay
from cnbench.lab.host import Lab


def _fill(lower: Path) -> None:
    (lower / "file").touch()


def _probe(lab: Lab, attribute: str = "trusted.overlay.cnbench") -> str:
    with open_overlay(lab, fill=_fill) as stage:
        try:
            os.setxattr(stage.merged / "file", attribute, b"1")
        except OSError as error:
            return refusal(error)
        kept = [name for name in os.listxattr(stage.upper / "file") if "cnbench" in name]
        return f"kept as {', '.join(kept)}"


BEHAVIOUR = Behaviour(
    name="overlay.escaped-attributes",
    question="Can a file of an overlay have an overlay's own attributes?",
    method="sets trusted.overlay.cnbench on a file of an overlay, and looks at the upper layer",
    matters="where it is refused, an image that contains a container store cannot be unpacked in "
    "a container",
    source="fs/overlayfs/xattrs.c; Documentation/filesystems/overlayfs.rst, nested mounts",
    probe=_probe,
    controls=(
        partial(_probe, attribute="trusted.cnbench"),
        partial(_probe, attribute="nobody.cnbench"),
    ),
)
