"""apiextensions-apiserver of today's Kubernetes, from sid's libraries.

It is the real k8s.io/apiserver (watch cache, streaming lists), which serves custom resources and
nothing else. Debian has it as a library whose folder has the main package, too. The libraries are
client-go's as well, so programs of ours that use that are compiled beside it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from cnbench.control_plane.build.workshop import GOCODE, Workshop
from cnbench.core.errors import CnbenchError

SUITE = "sid"
PROGRAMS = ("apiextensions-apiserver", "informer")
# Programs of our own, by the path that they are compiled as.
OWN = {"cnbench.example.com/informer": Path(__file__).parents[1] / "informer" / "main.go"}
_LIBRARY = "golang-k8s-apiextensions-apiserver-dev"
_PACKAGE = "k8s.io/apiextensions-apiserver"
# What go.mod of Kubernetes 1.36 asks for.
_GO = "1.26"


def make(workshop: Workshop, into: Path) -> dict[str, str]:
    """Build it, and etcd beside it, into the folder ``into``: versions by package.

    Raises:
        GuestError: something cannot be fetched.
        CnbenchError: something does not compile.
    """
    apt = workshop.open_apt()
    libraries = apt.needed_by(_LIBRARY, lambda name: name.startswith("golang-"))
    wanted = (*libraries, f"golang-{_GO}-go", f"golang-{_GO}-src", "etcd-server")
    versions = workshop.fetch(apt, tuple(dict.fromkeys(wanted)))
    if not versions.get(_LIBRARY):
        raise CnbenchError(f"Debian {SUITE} has no {_LIBRARY}")
    go = workshop.go(_GO, workshop.tree / GOCODE)
    for package, source in OWN.items():
        folder = go.path / "src" / package
        folder.mkdir(parents=True)
        shutil.copy2(source, folder)
    go.build(into, [_PACKAGE, *OWN])
    shutil.copy2(workshop.tree / "usr/bin/etcd", into / "etcd")
    return versions
