"""Whether a volatile overlay can be mounted a second time."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour, absent
from cnbench.behaviours.overlay.stage import open_stage
from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.lab.host import Lab


def _probe(lab: Lab, options: str = "volatile") -> str:
    with open_stage(lab) as stage:
        try:
            with stage.mounted(lab, options):
                (stage.merged / "file").touch()
        except UnsupportedError:
            return absent("volatile overlays")
        try:
            with stage.mounted(lab, options):
                return "mounted again"
        except CnbenchError:
            return "refused"


BEHAVIOUR = Behaviour(
    name="overlay.volatile-twice",
    question="Can a volatile overlay be mounted again after it was unmounted?",
    method="mounts with the option volatile, unmounts, and mounts the same layers so again",
    matters="a runtime that restarts a container on the same layers must make new ones",
    source="fs/overlayfs/super.c: ovl_workdir_cleanup of incompat/volatile",
    probe=_probe,
    controls=(partial(_probe, options=""),),
)
