"""Running the kernel's own tools: argument lists, never a shell."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from cnbench.core.errors import CommandError, UnsupportedError

# Ordinary users often lack these in PATH, and every tool that sets up a network lives there.
_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")

PACKAGES = {
    "bird": "bird2",
    "fuse-overlayfs": "fuse-overlayfs",
    "ip": "iproute2",
    "ipset": "ipset",
    "iperf3": "iperf3",
    "iptables": "iptables",
    "ipvsadm": "ipvsadm",
    "mkfs.btrfs": "btrfs-progs",
    "mkfs.ext4": "e2fsprogs",
    "mkfs.xfs": "xfsprogs",
    "mmdebstrap": "mmdebstrap",
    "modprobe": "kmod",
    "nft": "nftables",
    "qemu-system-x86_64": "qemu-system-x86",
    "setpriv": "util-linux",
}


_gives_up = True


def never_give_up() -> None:
    """Wait for every tool to its end, whatever the time.

    For a guest that counts instructions: its clock skips what it spends waiting, and minutes pass
    on it in a moment (one iptables-restore in twenty was given up so).
    """
    global _gives_up  # noqa: PLW0603  a property of the machine that this process runs on
    _gives_up = False


def find(tool: str) -> str | None:
    """The path of ``tool``, looked for in PATH and in the system folders; None where it is not."""
    return shutil.which(tool) or shutil.which(tool, path=os.pathsep.join(_SYSTEM_FOLDERS))


def package_of(tool: str) -> str:
    """The Debian package that holds ``tool`` (iptables-nft-restore comes with iptables)."""
    family = tool.partition("-")[0]
    return PACKAGES.get(tool) or PACKAGES.get(family) or tool


def require(tool: str) -> str:
    """The path of ``tool``.

    Raises:
        UnsupportedError: it is not installed; the remedy names its package.
    """
    path = find(tool)
    if path is None:
        raise UnsupportedError(f"{tool} is not installed", f"apt-get install {package_of(tool)}")
    return path


def run(
    argv: Sequence[str],
    *,
    input: str | None = None,
    check: bool = True,
    timeout: float = 600,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a tool to its end and give what it printed.

    Raises:
        UnsupportedError: the tool is not installed.
        CommandError: ``check`` and it exited with an error, or it took longer than ``timeout`` s.
    """
    argv = [require(argv[0]), *argv[1:]]
    try:
        done = subprocess.run(
            argv,
            input=input,
            capture_output=True,
            text=True,
            timeout=timeout if _gives_up else None,
            check=False,
            env={**os.environ, "LC_ALL": "C", **(environment or {})},
        )
    except subprocess.TimeoutExpired:
        raise CommandError(argv, -1, f"it had not ended after {timeout:.0f} s") from None
    if check and done.returncode != 0:
        raise CommandError(argv, done.returncode, done.stderr)
    return done
