"""The userland: Debian trixie's packages in one read-only image, the same for every kernel."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnbench.core.errors import CommandError
from cnbench.lab import commands
from cnbench.lab.guest.build import apt, cache
from cnbench.lab.guest.build.sources import Source, debian_mirror
from cnbench.lab.guest.build.toolbox import Toolbox

Progress = Callable[[str], None]
"""Is told in a few words what a long piece of work has come to."""

SUITE = "trixie"
BUILDER = "mmdebstrap"
PACKAGES = (
    "base-files",
    "bash",
    "bird2",
    "btrfs-progs",
    "busybox-static",
    "coreutils",
    "dash",
    "e2fsprogs",
    "ethtool",
    "iperf3",
    "iproute2",
    "ipset",
    "iptables",
    "ipvsadm",
    "kmod",
    "libc-bin",
    "lz4",
    "mount",
    "nftables",
    "procps",
    "python3",
    "python3-numpy",
    "squashfs-tools",
    "util-linux",
    "wireguard-tools",
    "xfsprogs",
    "zstd",
)

# By name: the usual one, and what has more for those experiments alone that ask for it.
USERLANDS = {"": PACKAGES, "containers": (*PACKAGES, "crun", "runc")}

# A larger number makes every machine build anew: raise it when this file makes another image.
_RECIPE = 1
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_NOT_NEEDED = ("doc", "man", "locale", "info", "lintian", "bash-completion", "zoneinfo", "perl5")
_USERS = (
    "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
)
_GROUPS = "root:x:0:\nnogroup:x:65534:\n"


@dataclass(frozen=True)
class Image:
    """The built userland.

    Attributes:
        path: the disk image (squashfs).
        tree: the same files unpacked; programs in it build what belongs to a guest.
        digest: SHA-256 of the disk image.
        packages: package versions by name.
    """

    path: Path
    tree: Path
    digest: str
    packages: dict[str, str]

    @property
    def toolbox(self) -> Toolbox:
        """The image's own programs, run here."""
        return Toolbox(self.tree)


def built_userland(name: str = "") -> Image | None:
    """The userland ``name`` of ``USERLANDS``, if it was built before; nothing is fetched."""
    where = _place(name)
    try:
        facts = json.loads((where / "image.json").read_text())
    except FileNotFoundError:
        return None
    return Image(where / "root.squashfs", where / "tree", facts["digest"], facts["packages"])


def ensure_userland(
    progress: Progress = lambda _: None, rebuild: bool = False, name: str = ""
) -> Image:
    """The userland, built now (some 15 s and 150 MB) if it is not there or ``rebuild`` is asked.

    Needs the network only to build, and never root: packages are unpacked, not installed, so no
    maintainer script runs. What those scripts would have made is made here.

    Raises:
        GuestError: the mirror cannot be reached, or none is configured.
        UnsupportedError: mmdebstrap is not installed.
    """
    image = None if rebuild else built_userland(name)
    if image is None:
        mirror = debian_mirror()
        with cache.publishing(_place(name)) as building:
            _build(building, mirror, progress, USERLANDS[name])
        image = built_userland(name)
        assert image is not None  # noqa: S101  publishing has just put it there
    return image


def _place(name: str) -> Path:
    recipe = cache.text_digest(SUITE, *USERLANDS[name], str(_RECIPE))
    return cache.folder() / "guest" / f"userland-{SUITE}-{recipe[:12]}"


def _build(building: Path, mirror: Source, progress: Progress, packages: Sequence[str]) -> None:
    tree = building / "tree"
    progress(f"fetching and unpacking Debian {SUITE}")
    _unpack(tree, building / "mirror.sources", mirror, packages)
    versions = _versions(tree)
    _finish(tree)
    progress("packing the image")
    image = building / "root.squashfs"
    Toolbox(tree).squashfs(tree, image)
    facts = {"digest": cache.digest_of(image), "packages": versions}
    (building / "image.json").write_text(json.dumps(facts, indent=1))


def _unpack(tree: Path, sources: Path, mirror: Source, packages: Sequence[str]) -> None:
    sources.write_text(mirror.stanza(SUITE))
    argv = [BUILDER, "--mode=chrootless", "--variant=extract", "--architectures=amd64"]
    argv += ["--skip=cleanup/apt", '--aptopt=APT::Install-Recommends "false"']
    argv += [f"--aptopt={line}" for line in apt.connection_settings()]
    argv += [f"--include={','.join(packages)}", SUITE, str(tree), str(sources)]
    try:
        commands.run(argv)
    except CommandError as error:
        raise apt.cannot_fetch(f"the guest's userland (Debian {SUITE})", error) from error


def _versions(tree: Path) -> dict[str, str]:
    """The versions of the packages that were unpacked, from the names of their archives."""
    archives = tree / "var/cache/apt/archives"
    return dict(_name_and_version(path.name) for path in sorted(archives.glob("*.deb")))


def _name_and_version(archive: str) -> tuple[str, str]:
    name, version, _ = urllib.parse.unquote(archive).split("_", 2)
    return name, version


def _finish(tree: Path) -> None:
    """Make what the packages' scripts would have made, as far as anything measured needs it."""
    # A guest makes its other folders at boot; who builds (root or not) shows in dev and tmp.
    for path in tree.iterdir():
        if path.name not in ("usr", "etc"):
            cache.remove(path)
    for name in _NOT_NEEDED:
        cache.remove(tree / "usr/share" / name)
    cache.remove(tree / "etc/apt")
    # Debian's default for the alternatives of iptables.
    for family in ("iptables", "ip6tables"):
        for tool in ("", "-save", "-restore"):
            _link(tree / f"usr/sbin/{family}{tool}", f"{family}-nft{tool}")
    for library in ("blas", "lapack"):
        _link(tree / _LIBRARIES / f"lib{library}.so.3", f"{library}/lib{library}.so.3")
    _link(tree / "usr/bin/sh", "dash")
    _link(tree / "usr/bin/awk", "mawk")
    (tree / "etc/passwd").write_text(_USERS)
    (tree / "etc/group").write_text(_GROUPS)
    (tree / "etc/hostname").write_text("guest\n")
    (tree / "etc/hosts").write_text("127.0.0.1 localhost guest\n")
    # mmdebstrap copies the host's own, which would make the image differ from machine to machine.
    (tree / "etc/resolv.conf").unlink(missing_ok=True)
    # Who unpacks as an ordinary user gets no setuid programs, and root in the guest needs none.
    for program in (*(tree / "usr/bin").iterdir(), *(tree / "usr/sbin").iterdir()):
        if not program.is_symlink():
            program.chmod(program.stat().st_mode & 0o777)
    # The kernel's modules and the measuring code come as disks of their own.
    for mount_point in ("usr/lib/modules", "usr/local/lib/cnbench"):
        (tree / mount_point).mkdir(parents=True, exist_ok=True)
    _remember_bytecode(tree)


def _remember_bytecode(tree: Path) -> None:
    # Packages compile their Python when they are installed. Under emulation every module that is
    # not compiled costs tens of milliseconds, and the image is read-only.
    library = next((tree / "usr/lib").glob("python3.*"))
    for folder in (library, tree / "usr/lib/python3/dist-packages"):
        compile_python(Toolbox(tree), folder, f"/{folder.relative_to(tree)}")


def compile_python(toolbox: Toolbox, folder: Path, appears_as: str) -> None:
    """Compile ``folder`` for the guest's Python, which will see it at ``appears_as``.

    Unchecked-hash bytecode (PEP 552): no time of a file goes into it, so the same source makes the
    same image.
    """
    toolbox.run(
        "usr/bin/python3",
        # -B: else the compiler's own modules are compiled at import, with this machine's paths.
        # In one process: its workers would be started without the loader that finds its libraries.
        *("-P", "-S", "-B", "-m", "compileall", "-q", "-f"),
        *("--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", appears_as),
        str(folder),
    )


def _link(path: Path, target: str) -> None:
    if not path.exists():
        path.unlink(missing_ok=True)
        path.symlink_to(target)
