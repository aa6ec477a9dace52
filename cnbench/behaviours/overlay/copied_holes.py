"""What becomes of a hole when its file is copied up."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from cnbench.behaviours.behaviour import Behaviour
from cnbench.behaviours.overlay.stage import open_overlay
from cnbench.lab.host import Lab

_SIZE = 8 << 20
_MIDDLE = (3 << 20) + (1 << 19)


def _fill(lower: Path, whole: bool) -> None:
    with (lower / "file").open("wb") as file:
        file.truncate(_SIZE)
        file.seek(0 if whole else _MIDDLE)
        file.write(bytes(_SIZE if whole else 1))


def _probe(lab: Lab, whole: bool = False) -> str:
    with open_overlay(lab, fill=partial(_fill, whole=whole)) as stage:
        os.close(os.open(stage.merged / "file", os.O_RDWR))
        taken = (stage.upper / "file").stat().st_blocks * 512
    return f"{taken >> 10} KiB of {_SIZE >> 10} KiB taken"


BEHAVIOUR = Behaviour(
    name="overlay.copied-holes",
    question="How much room does a sparse file take once it is copied up?",
    method="copies up 8 MiB with one byte at 3.5 MiB, on tmpfs",
    matters="a database's or a virtual machine's sparse file may fill the node's disk",
    source="fs/overlayfs/copy_up.c: ovl_copy_up_file, OVL_COPY_UP_CHUNK_SIZE",
    probe=_probe,
    controls=(partial(_probe, whole=True),),
)
