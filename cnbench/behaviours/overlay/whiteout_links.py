"""How many inodes whiteouts take."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from cnbench.behaviours.behaviour import Behaviour
from cnbench.behaviours.overlay.stage import open_overlay
from cnbench.lab.host import Lab

_FILES = 3


def _fill(lower: Path) -> None:
    for number in range(_FILES):
        (lower / str(number)).touch()


def _probe(lab: Lab, removed: int = _FILES) -> str:
    with open_overlay(lab, fill=_fill) as stage:
        for number in range(removed):
            (stage.merged / str(number)).unlink()
        found = [path.stat() for path in sorted(stage.upper.iterdir())]
    links = sorted({status.st_nlink for status in found})
    inodes = len({status.st_ino for status in found})
    return f"{len(found)} whiteouts, inodes: {inodes}, links of each: {', '.join(map(str, links))}"


BEHAVIOUR = Behaviour(
    name="overlay.whiteout-links",
    question="How many inodes do the whiteouts of three removed files take?",
    method="removes three files of the lower layer, and looks at the upper one",
    matters="who copies or diffs a layer meets hard links, and a count of links that is one more "
    "than the names it can see",
    source="fs/overlayfs/dir.c: ovl_whiteout",
    probe=_probe,
    controls=(partial(_probe, removed=1),),
)
