"""The measuring code as a disk image: what of this cnbench measures, and its pyroute2."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path

from cnbench.lab.guest.agent import CODE
from cnbench.lab.guest.build import cache
from cnbench.lab.guest.build.images import Image, compile_python
from cnbench.lab.guest.errors import GuestError

PACKAGES = ("cnbench", "pyroute2")
# Nothing that measures imports these (the layers in pyproject.toml): a change of a table's looks
# would throw away every saved state of every guest.
NOT_MEASURING = frozenset(
    f"cnbench/{name}"
    for name in (
        "__main__.py",
        "analysis",
        "api.py",
        "asv",
        "cli",
        "export",
        "fleet",
        "report",
        "stats",
        "store",
    )
)

# A guest sees a disk's size when it boots, and may be saved before this image is there: so all
# images have one size, of which the unused end takes no room in a file.
DISK_BYTES = 64 << 20
# What is compiled for this machine's Python: a guest has another one.
_OF_THIS_PYTHON = {".pyc", ".so"}
_KEPT = 4
_FORMAT = 1


def ensure_code(userland: Image, packages: dict[str, Path] | None = None) -> Path:
    """The disk image of ``packages`` (name to folder; by default the ones this process runs).

    It is made anew whenever any source in it differs; the last few are kept.

    Raises:
        GuestError: a package is not there, or together they are too large.
    """
    folders = packages or {name: _folder_of(name) for name in PACKAGES}
    sources = [(name, path) for name, folder in folders.items() for path in _sources(name, folder)]
    digest = _digest(sources, folders, userland)
    place = cache.folder() / "guest" / "code" / digest[:16]
    if not place.is_dir():
        cache.ensure(place, lambda building: _build(building, sources, folders, userland))
        cache.forget_unused(place.parent, _KEPT)
    cache.used(place)
    return place / "code.squashfs"


def empty_disk() -> Path:
    """A disk of the same size with nothing on it, for a guest whose code comes later."""
    place = cache.folder() / "guest" / "empty-disk"

    def build(building: Path) -> None:
        with (building / "disk").open("wb") as file:
            file.truncate(DISK_BYTES)

    cache.ensure(place, build)
    return place / "disk"


def _folder_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise GuestError(
            f"the Python package {package}, which a guest needs, is not installed here",
            f"pip install {package}",
        )
    return Path(spec.submodule_search_locations[0])


def _sources(package: str, folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        part = f"{package}/{path.relative_to(folder).parts[0]}"
        if path.is_file() and path.suffix not in _OF_THIS_PYTHON and part not in NOT_MEASURING:
            yield path


def _digest(sources: list[tuple[str, Path]], folders: dict[str, Path], userland: Image) -> str:
    total = hashlib.sha256(f"{_FORMAT} {userland.digest}".encode())
    for package, path in sources:
        relative = path.relative_to(folders[package])
        contents = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"\n{package}/{relative} {contents}".encode())
    return total.hexdigest()


def _build(
    building: Path,
    sources: list[tuple[str, Path]],
    folders: dict[str, Path],
    userland: Image,
) -> None:
    tree = building / "tree"
    for package, path in sources:
        target = tree / package / path.relative_to(folders[package])
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    compile_python(userland.toolbox, tree, CODE)
    image = building / "code.squashfs"
    userland.toolbox.squashfs(tree, image)
    cache.remove(tree)
    size = image.stat().st_size
    if size > DISK_BYTES:
        raise GuestError(f"the measuring code is {size >> 20} MiB, more than a guest's disk holds")
    with image.open("r+b") as file:
        file.truncate(DISK_BYTES)
