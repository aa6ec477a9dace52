"""Which new folders are marked opaque."""

from __future__ import annotations

import os
from functools import partial

from cnbench.behaviours.behaviour import Behaviour, listed
from cnbench.behaviours.overlay.stage import open_overlay
from cnbench.core.errors import UnsupportedError
from cnbench.lab.host import Lab

_OPTIONS = ("", "redirect_dir=on", "metacopy=on", "index=on", "xino=on")


def _is_opaque(lab: Lab, options: str) -> bool:
    with open_overlay(lab, options) as stage:
        (stage.merged / "new").mkdir()
        return "trusted.overlay.opaque" in os.listxattr(stage.upper / "new")


def _probe(lab: Lab, options: tuple[str, ...] = _OPTIONS) -> str:
    marked = []
    for option in options:
        try:
            marked += [option or "no option"] if _is_opaque(lab, option) else []
        except UnsupportedError:
            marked.append(f"{option} is refused")
    return listed(marked)


BEHAVIOUR = Behaviour(
    name="overlay.opaque-folders",
    question="With which options is a folder opaque that never was in a lower layer?",
    method="makes a folder in an empty overlay, and lists its attributes in the upper layer",
    matters="a layer that is diffed or moved below another hides more than was removed",
    source="fs/overlayfs/dir.c: ovl_create_upper and ovl_allow_offline_changes",
    probe=_probe,
    controls=(partial(_probe, options=("",)), partial(_probe, options=("index=on",))),
)
