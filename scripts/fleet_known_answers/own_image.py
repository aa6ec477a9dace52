"""A container image of this very environment: its Python, cnbench, and what that depends on.

Every file is at the place that it has here, so that nothing has to be installed, and nothing to be
fetched. What is of the project's tests is left out, and all tools but those that are named.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import re
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from packaging.requirements import Requirement

import cnbench
from cnbench.containers.image import described, path_of
from cnbench.lab import commands

_NAME = "cnbench"
_PACKAGE = Path(cnbench.__file__).parent
# What the loader takes for a program, as ldd(1) prints it: a name, an arrow, a path, an address.
_LIBRARY = re.compile(r"(/\S+) \(0x")
# Other environments' packages, the library's own tests, and what compiles extensions against it.
_LEFT_OUT = re.compile("site-packages|dist-packages|test|config-.*")
_BINARIES = Path(sys.prefix, "bin")
_FOLDERS = {"tmp": 0o1777, "root": 0o700, "run": 0o755}
_USERS = "root:x:0:0:root:/root:/bin/sh\n"


def write_image(folder: Path, name: str, tools: Sequence[str]) -> Path:
    """The tar of an image, in ``folder``, that is called ``name`` and has ``tools`` and cnbench.

    Raises:
        UnsupportedError: one of the tools is not installed.
    """
    layer = folder / "layer.tar"
    _write_layer(layer, [Path(commands.require(tool)) for tool in tools])
    with layer.open("rb") as file:
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    folders = f"{_BINARIES}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    process = {"Env": [f"PATH={folders}", "LANG=C.UTF-8"]}
    about = described(name, {digest: layer.stat().st_size}, process)
    path = folder / "image.tar"
    with tarfile.open(path, "w") as tar:
        for place, content in about.files.items():
            _add(tar, place, content)
        tar.add(layer, path_of(digest))
    layer.unlink()
    return path


def _write_layer(path: Path, programs: Sequence[Path]) -> None:
    files = set(_python()) | set(_distributions()) | set(_files_below(_PACKAGE)) | set(programs)
    files |= set(_libraries(file for file in files if ".so" in file.name or file in programs))
    # What symbolic links lead to: an image has no other places than these.
    with tarfile.open(path, "w", dereference=True) as tar:
        for folder, mode in _FOLDERS.items():
            member = tarfile.TarInfo(folder)
            member.type, member.mode = tarfile.DIRTYPE, mode
            tar.addfile(member)
        _add(tar, "etc/passwd", _USERS.encode())
        for file in sorted(files):
            tar.add(file, recursive=False)


def _python() -> Iterator[Path]:
    """The interpreter of this environment, and the standard library that it has."""
    yield from (path for path in _BINARIES.glob("python*") if path.is_file())
    yield Path(sys.prefix, "pyvenv.cfg")
    library = Path(sysconfig.get_path("stdlib"))
    for path in _files_below(library):
        if not _LEFT_OUT.fullmatch(path.relative_to(library).parts[0]):
            yield path
    yield from _libraries([Path(sys.executable)])


def _distributions() -> Iterator[Path]:
    """The files of cnbench and of all that it asks for, and that asks for, without extras."""
    found: dict[str, importlib.metadata.Distribution] = {}
    wanted = [_NAME]
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = importlib.metadata.distribution(name)
            asked = map(Requirement, found[name].requires or ())
            wanted += [one.name for one in asked if not one.marker or one.marker.evaluate()]
    for distribution in found.values():
        files = (Path(str(file.locate())).resolve() for file in distribution.files or ())
        yield from (file for file in files if file.is_file())


def _files_below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _libraries(programs: Iterable[Path]) -> Iterator[Path]:
    """The libraries of the system's that the loader gives to any of ``programs``."""
    said = subprocess.run(
        ["ldd", *map(str, programs)], capture_output=True, text=True, check=False
    ).stdout
    for found in map(Path, _LIBRARY.findall(said)):
        if not found.is_relative_to(sys.prefix):  # wheels bring their own, which are there already
            yield found


def _add(tar: tarfile.TarFile, place: str, content: bytes) -> None:
    member = tarfile.TarInfo(place)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
