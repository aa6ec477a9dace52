"""Kernels: a distribution's own, unpacked but not installed, with their modules on a disk image."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cnbench.core.errors import UsageError
from cnbench.lab import commands
from cnbench.lab.guest.build import bzimage, cache, modules
from cnbench.lab.guest.build.apt import PrivateApt
from cnbench.lab.guest.build.images import Image, Progress, ensure_userland
from cnbench.lab.guest.build.modules import Dependencies
from cnbench.lab.guest.build.sources import SUITES, debian_mirror
from cnbench.lab.guest.errors import GuestError

_PACKAGE = "linux-image-cloud-amd64"
# From trixie on, the kernel and its modules are packages of their own beside linux-image-*.
_PARTS = re.compile(r"linux-(image|binary|modules|base)-[0-9]")
# A larger number makes every machine unpack anew: raise it when this file unpacks otherwise.
_RECIPE = 2
# A module's name becomes a path: of files from outside only this is accepted as a release.
_RELEASE = re.compile(r"[0-9][A-Za-z0-9.+~_-]*")


@dataclass(frozen=True)
class Kernel:
    """A kernel a guest can boot.

    Attributes:
        name: what it was asked for as: a suite, or the path of a vmlinuz.
        release: ``uname -r``.
        vmlinux: the uncompressed kernel, which boots by PVH.
        modules: the disk image (squashfs) of its modules.
        tree: those of them that a guest needs to boot: ``tree/lib/modules/release``.
        digest: SHA-256 of kernel and modules image.
        packages: the versions of the Debian packages it came from; empty for a file.
    """

    name: str
    release: str
    vmlinux: Path
    modules: Path
    tree: Path
    digest: str
    packages: dict[str, str]

    @property
    def dependencies(self) -> Dependencies:
        """Which module needs which."""
        listing = self.tree / "lib/modules" / self.release / "modules.dep"
        return modules.read_dependencies(listing.read_text())

    def module(self, path: str) -> bytes:
        """The contents of a module that a guest boots with; ``path`` as `dependencies` names it."""
        return (self.tree / "lib/modules" / self.release / path).read_bytes()


def built_kernels() -> list[Kernel]:
    """All kernels that are in the cache, by name."""
    found = (cache.folder() / "guest" / f"kernels-{_RECIPE}").glob("*/kernel.json")
    return sorted((_read(path.parent) for path in found), key=lambda kernel: kernel.name)


def built_kernel(name: str) -> Kernel | None:
    """The kernel asked for as ``name``, if it is in the cache; nothing is fetched.

    Raises:
        GuestError: ``name`` is a file that cannot be read.
        UsageError: it is neither a suite nor a path.
    """
    where = _place(name)
    return _read(where) if (where / "kernel.json").is_file() else None


def ensure_kernel(
    name: str,
    progress: Progress = lambda _: None,
    rebuild: bool = False,
    module_folder: Path | None = None,
) -> Kernel:
    """The kernel of a suite (``bullseye`` .. ``sid``) or of a vmlinuz file, ready to boot.

    Taken from the cache where it is there; ``rebuild`` takes the suite's newest instead. A file's
    modules are looked for in ``module_folder`` (what is called ``lib/modules/RELEASE`` where they
    are installed), else in the folder ``modules`` beside it, else where this machine has them.

    Raises:
        GuestError: the mirror cannot be reached; the file is no kernel, or its modules are missing.
        UsageError: ``name`` is neither a suite nor a path.
    """
    kernel = None if rebuild else built_kernel(name)
    if kernel is None:
        userland = ensure_userland(progress)
        with cache.publishing(_place(name)) as building:
            if name in SUITES:
                _unpack_suite(name, building, progress)
            else:
                _unpack_file(Path(name), building, module_folder)
            progress(f"preparing the kernel of {name}")
            _prepare(name, building, userland)
        kernel = _read(_place(name))
    return kernel


def _place(name: str) -> Path:
    if name not in SUITES and "/" not in name:
        raise UsageError(
            f"no kernel is called {name!r}",
            f"give a suite ({', '.join(SUITES)}) or the path of a vmlinuz",
        )
    # A file is known by its contents: another file at the same path is another kernel.
    label = name if name in SUITES else f"{bzimage.release(Path(name))}-{_short_digest(name)}"
    return cache.folder() / "guest" / f"kernels-{_RECIPE}" / label


def _short_digest(path: str) -> str:
    return cache.digest_of(Path(path))[:12]


def _read(where: Path) -> Kernel:
    facts = json.loads((where / "kernel.json").read_text())
    return Kernel(
        facts["name"],
        facts["release"],
        where / "vmlinux",
        where / "modules.squashfs",
        where / "tree",
        facts["digest"],
        facts["packages"],
    )


def _unpack_suite(suite: str, building: Path, progress: Progress) -> None:
    progress(f"fetching the kernel of Debian {suite}")
    with tempfile.TemporaryDirectory(dir=building, prefix="apt-") as folder:
        apt = PrivateApt(Path(folder), debian_mirror(), suite)
        apt.update()
        parts = apt.needed_by(_PACKAGE, lambda package: bool(_PARTS.match(package)))
        if not parts:
            raise GuestError(f"Debian {suite} on this mirror has no {_PACKAGE}")
        archives = apt.download(parts, Path(folder, "packages"))
        unpacked = Path(folder, "unpacked")
        for archive in archives:
            commands.run(["dpkg-deb", "-x", str(archive), str(unpacked)])
        found = [*unpacked.glob("boot/vmlinuz-*"), *unpacked.glob("usr/lib/modules/*/vmlinuz")]
        folders = [*unpacked.glob("lib/modules/*"), *unpacked.glob("usr/lib/modules/*")]
        found[0].rename(building / "vmlinuz")
        _take_modules(folders[0], building)
        versions = dict(archive.name.split("_")[:2] for archive in archives)
    (building / "packages.json").write_text(json.dumps(versions))


def _unpack_file(vmlinuz: Path, building: Path, module_folder: Path | None) -> None:
    release = bzimage.release(vmlinuz)
    if not _RELEASE.fullmatch(release):
        raise GuestError(f"the kernel in {vmlinuz} calls itself {release!r}, which is no release")
    beside = vmlinuz.parent / "modules"
    candidates = [module_folder] if module_folder else [beside, beside / release]
    candidates += [] if module_folder else [Path("/lib/modules", release)]
    folder = next((path for path in candidates if (path / "kernel").is_dir()), None)
    if folder is None:
        raise GuestError(
            f"the modules of {vmlinuz} ({release}) are in none of: "
            + ", ".join(str(path) for path in candidates),
            "put its lib/modules/RELEASE beside it, as a folder called modules",
        )
    shutil.copyfile(vmlinuz, building / "vmlinuz")
    target = building / "tree/lib/modules" / release
    shutil.copytree(folder, target, symlinks=True)
    # The links to the sources it was built from lead nowhere in a guest.
    for link in ("build", "source"):
        (target / link).unlink(missing_ok=True)


def _take_modules(folder: Path, building: Path) -> None:
    (building / "tree/lib/modules").mkdir(parents=True)
    folder.rename(building / "tree/lib/modules" / folder.name)
    (building / "tree/lib/modules" / folder.name / "vmlinuz").unlink(missing_ok=True)


def _prepare(name: str, building: Path, userland: Image) -> None:
    toolbox = userland.toolbox
    vmlinuz, vmlinux = building / "vmlinuz", building / "vmlinux"
    release = bzimage.release(vmlinuz)
    vmlinux.write_bytes(bzimage.unpack(vmlinuz, toolbox))
    vmlinuz.unlink()
    tree = building / "tree"
    modules.unpack_all(tree, toolbox)
    modules.index(tree, release, toolbox)
    image = building / "modules.squashfs"
    toolbox.squashfs(tree / "lib/modules", image)
    modules.keep_only(modules.BOOT_MODULES, tree, release)
    packages = building / "packages.json"
    facts = {
        "name": name,
        "release": release,
        "digest": cache.digest_of(vmlinux, image),
        "packages": json.loads(packages.read_text()) if packages.is_file() else {},
    }
    packages.unlink(missing_ok=True)
    (building / "kernel.json").write_text(json.dumps(facts, indent=1))
