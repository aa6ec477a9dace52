"""Whether a tmpfs can be kept out of swap."""

from __future__ import annotations

from functools import partial

from cnbench.behaviours.behaviour import Behaviour
from cnbench.core.errors import UnsupportedError
from cnbench.lab.host import Lab


def _probe(lab: Lab, options: str = "noswap") -> str:
    lab.require_mounts()
    try:
        with lab.mount("none", lab.temporary_folder(), "tmpfs", options):
            return "taken"
    except UnsupportedError:
        return "refused"


BEHAVIOUR = Behaviour(
    name="mounts.tmpfs-noswap",
    question="Can a tmpfs be kept out of swap?",
    method="mounts a tmpfs with the option noswap",
    matters="the kubelet mounts secrets and memory volumes so on nodes with swap, and does without "
    "swap where the kernel refuses",
    source="mm/shmem.c: Opt_noswap; Documentation/filesystems/tmpfs.rst",
    probe=_probe,
    controls=(partial(_probe, options="mode=700"), partial(_probe, options="cnbench")),
)
