"""Whether files of a tmpfs can have user attributes."""

from __future__ import annotations

import os
from functools import partial

from cnbench.behaviours.behaviour import Behaviour
from cnbench.behaviours.calls import refusal
from cnbench.lab.host import Lab


def _probe(lab: Lab, attribute: str = "user.cnbench") -> str:
    with lab.mount("none", lab.temporary_folder(), "tmpfs") as folder:
        file = folder / "file"
        file.touch()
        try:
            os.setxattr(file, attribute, b"1")
        except OSError as error:
            return refusal(error)
        return "kept" if os.getxattr(file, attribute) == b"1" else "lost"


BEHAVIOUR = Behaviour(
    name="mounts.tmpfs-user-xattr",
    question="Can files of a tmpfs have user attributes?",
    method="sets user.cnbench on a file of a new tmpfs",
    matters="an image with such attributes cannot be unpacked there, and rootless overlays "
    "(userxattr) keep their marks in them",
    source="mm/shmem.c: shmem_user_xattr_handler; CONFIG_TMPFS_XATTR",
    probe=_probe,
    controls=(
        partial(_probe, attribute="trusted.cnbench"),
        partial(_probe, attribute="nobody.cnbench"),
    ),
)
