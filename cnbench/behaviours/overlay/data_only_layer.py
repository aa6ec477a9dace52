"""Whether a lower layer can be for data alone."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour
from cnbench.core.errors import CnbenchError
from cnbench.lab.host import Lab


def _probe(lab: Lab, between: str = "::") -> str:
    with lab.mount("none", lab.temporary_folder(), "tmpfs") as folder:
        for name in ("one", "two", "merged"):
            (folder / name).mkdir()
        (folder / "two" / "data").touch()
        layers = f"lowerdir={folder / 'one'}{between}{folder / 'two'}"
        try:
            with lab.mount("none", folder / "merged", "overlay", f"metacopy=on,{layers}"):
                return "seen" if (folder / "merged" / "data").exists() else "taken, and not seen"
        except CnbenchError:
            return "refused"


BEHAVIOUR = Behaviour(
    name="overlay.data-only-layer",
    question="Can a lower layer be for the data of others alone?",
    method="mounts lowerdir=one::two, and looks whether two's files are seen",
    matters="composefs, and so images that share files by content, needs it",
    source="Documentation/filesystems/overlayfs.rst, data-only lower layers",
    probe=_probe,
    controls=(partial(_probe, between=":"),),
)
