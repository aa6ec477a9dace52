"""A kernel's modules: which need which, and in what order they load."""

from __future__ import annotations

import lzma
from collections.abc import Iterable, Mapping
from pathlib import Path

from cnbench.core.errors import CommandError
from cnbench.lab.guest.build.toolbox import Toolbox
from cnbench.lab.guest.errors import GuestError

BOOT_MODULES = ("virtio_pci", "virtio_blk", "virtio_console", "squashfs")
"""What a guest needs before it has its disks; some kernels have some of it built in."""

Dependencies = Mapping[str, tuple[str, ...]]
"""For each module's path (below its release's folder), the paths it needs; as in modules.dep."""


def read_dependencies(text: str) -> dict[str, tuple[str, ...]]:
    """Parse a modules.dep (modules.dep(5)): ``path: path path ...``."""
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {path.strip(): tuple(needs.split()) for path, needs in pairs}


def name_of(path: str) -> str:
    """The name that ``lsmod`` shows for a module's file: no folder, no ending, underscores."""
    return path.rpartition("/")[2].partition(".ko")[0].replace("-", "_")


def load_order(wanted: Iterable[str], dependencies: Dependencies) -> list[str]:
    """The paths of the modules ``wanted`` by name and all they need, each after what it needs.

    A name that is no module of this kernel is left out: it is built in, or unknown to it.
    """
    paths = {name_of(path): path for path in dependencies}
    order: dict[str, None] = {}

    def add(path: str) -> None:
        if path not in order:
            for needed in dependencies.get(path, ()):
                add(needed)
            order[path] = None

    for name in wanted:
        if name.replace("-", "_") in paths:
            add(paths[name.replace("-", "_")])
    return list(order)


def unpack_all(folder: Path, toolbox: Toolbox) -> None:
    """Replace the compressed modules below ``folder`` by uncompressed ones.

    A guest loads them more quickly, and alike for every kernel, however its distribution packs.

    Raises:
        GuestError: one is damaged.
    """
    for path in sorted(folder.rglob("*.ko.*")):
        packed = path.read_bytes()
        try:
            plain = (
                lzma.decompress(packed)
                if path.suffix == ".xz"
                else toolbox.run("usr/bin/zstd", "-dc", input=packed)
            )
        except (lzma.LZMAError, CommandError) as error:
            raise GuestError(f"the kernel module {path.name} is damaged: {error}") from error
        path.with_suffix("").write_bytes(plain)
        path.unlink()


def keep_only(wanted: Iterable[str], tree: Path, release: str) -> None:
    """Remove from ``tree/lib/modules/release`` all modules but those ``wanted`` and their needs.

    Its modules.dep stays, to tell the order in which they load.
    """
    folder = tree / "lib/modules" / release
    dependencies = read_dependencies((folder / "modules.dep").read_text())
    kept = {folder / path for path in load_order(wanted, dependencies)} | {folder / "modules.dep"}
    for path in folder.rglob("*"):
        if not path.is_dir() and path not in kept:
            path.unlink()


def index(tree: Path, release: str, toolbox: Toolbox) -> None:
    """Write modules.dep and its like for ``tree/lib/modules/release`` (depmod(8))."""
    options = ("-b", str(tree), "-C", str(toolbox.tree / "usr/lib/depmod.d"), release)
    toolbox.run("usr/bin/kmod", *options, name="depmod")
