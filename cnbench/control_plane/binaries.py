"""The programs of a control plane: those that were built here, or a folder of the user's own."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from cnbench.control_plane.build import recipes
from cnbench.core.errors import UnsupportedError
from cnbench.core.parameter import Parameter
from cnbench.lab.guest.build import cache

# The servers that experiments measure: built by the recipe of that name, or the user's own.
KUBERNETES, APIEXTENSIONS, OWN = recipes.KUBERNETES.name, recipes.APIEXTENSIONS.name, "own"
SERVERS = (KUBERNETES, APIEXTENSIONS, OWN)
SERVER = Parameter(
    "server", "the servers: Kubernetes 1.20, custom resources on today's, or your own",
    quick=(KUBERNETES, APIEXTENSIONS), full=(KUBERNETES, APIEXTENSIONS), choices=SERVERS,
)  # fmt: skip
# Names a folder with etcd and kube-apiserver, as it does for the tests of Kubernetes' operators
# (controller-runtime's envtest).
VARIABLE = "KUBEBUILDER_ASSETS"


@dataclass(frozen=True)
class Binaries:
    """A folder of programs.

    Attributes:
        server: which of ``SERVERS`` they are.
        folder: where they are.
    """

    server: str
    folder: Path

    def path(self, program: str) -> str:
        """Where ``program`` is; raises UnsupportedError where the folder has none."""
        found = self.folder / program
        if not os.access(found, os.X_OK) or not found.is_file():
            raise UnsupportedError(
                f"there is no program {program} in {self.folder}",
                f"put it there, or name another folder: {VARIABLE}=FOLDER",
            )
        return str(found)


def binaries_of(server: str) -> Binaries:
    """The programs of ``server``, one of ``SERVERS``.

    Raises:
        UnsupportedError: they are not built, not named, or have changed since (asked by root).
    """
    if server == OWN:
        return _own()
    recipe = recipes.RECIPES[server]
    found = recipes.built(recipe)
    if found is None:
        raise UnsupportedError(
            f"the servers of {server} are not built here", f"cnbench control-plane build {server}"
        )
    for program, digest in found.digests.items():
        cache.require_digest(digest, found.folder / program)
    return Binaries(server, found.folder)


def _own() -> Binaries:
    named = os.environ.get(VARIABLE)
    if not named:
        raise UnsupportedError(
            "no folder with servers of your own is named", f"name one: {VARIABLE}=FOLDER"
        )
    folder = Path(named).absolute()
    if not folder.is_dir():
        raise UnsupportedError(f"{VARIABLE} names {folder}, which is no folder", "name another")
    return Binaries(OWN, folder)


def versions() -> dict[str, str]:
    """What there is of each of ``SERVERS``: a digest of its programs, for a fingerprint.

    Raises:
        UnsupportedError: another user could have put them there.
    """
    found = {
        name: cache.text_digest(*one.digests.values())
        for name, recipe in recipes.RECIPES.items()
        if (one := recipes.built(recipe))
    }
    if os.environ.get(VARIABLE):
        with contextlib.suppress(UnsupportedError):
            own = sorted(path for path in _own().folder.iterdir() if path.is_file())
            found[OWN] = cache.digest_of(*own)
    return {f"servers {name}": digest[:12] for name, digest in found.items()}
