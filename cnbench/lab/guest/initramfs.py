"""The first root of a guest: the few modules its disks need, and a script that mounts them.

The script is the guest's first process until it ends. It leaves the work to the agent, and turns
the machine off when the agent has gone, however that happened.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from cnbench.lab.guest.build import cpio, modules
from cnbench.lab.guest.build.images import Image
from cnbench.lab.guest.build.kernels import Kernel

_FOLDERS = ("agent", "bin", "dev", "modules", "proc", "root")
_AGENT = Path(__file__).with_name("agent")

# Root is a tmpfs; only /usr is a disk, read-only, so a guest never changes an image. Devices are
# by their place on the command line of machine.py: vda userland, vdb modules, vdc measuring code.
# switch_root and not chroot: the kernel runs modprobe by itself, in what is its root.
_INIT = """#!/bin/busybox sh
b=/bin/busybox
fail() {{ echo "cnbench: $1" > /dev/console; $b poweroff -f; }}
$b mount -t devtmpfs devtmpfs /dev
$b mount -t proc proc /proc
for module in {modules}; do $b insmod /modules/$module.ko || fail "$module does not load"; done
$b mount -t tmpfs -o mode=0755 root /root
for folder in image usr proc sys dev run tmp var etc root mnt home; do $b mkdir /root/$folder; done
$b mount -t squashfs -o ro /dev/vda /root/image || fail "the userland's disk does not mount"
$b mount -o bind /root/image/usr /root/usr
$b mount -t squashfs -o ro /dev/vdb /root/usr/lib/modules || fail "the modules do not mount"
for folder in bin sbin lib lib64; do $b ln -s usr/$folder /root/$folder; done
$b cp -a /root/image/etc/. /root/etc/
$b umount /root/image && $b rmdir /root/image
$b cp -r /agent /first /root/run/
$b mount --move /dev /root/dev
$b mount --move /proc /root/proc
exec $b switch_root /root /usr/bin/busybox sh /run/first
"""
_FIRST_PROCESS = """b=/usr/bin/busybox
export PATH=/usr/sbin:/usr/bin LC_ALL=C.UTF-8 HOME=/root PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
$b ln -s /proc/self/fd /dev/fd
PYTHONPATH=/run /usr/bin/python3 -S -P -m agent > /dev/console 2>&1 ||
    echo "the agent failed" > /dev/console
$b poweroff -f
"""


def digest(kernel: Kernel, userland: Image) -> str:
    """The SHA-256 of the initramfs: of the agent, the scripts and the modules in it."""
    return hashlib.sha256(build(kernel, userland)).hexdigest()


def build(kernel: Kernel, userland: Image) -> bytes:
    """The initramfs that boots ``kernel`` into ``userland``; the same bytes for the same both."""
    archive = cpio.Archive()
    for folder in _FOLDERS:
        archive.folder(folder)
    archive.character_device("dev/console", 5, 1)
    busybox = userland.tree / "usr/bin/busybox"
    archive.file("bin/busybox", busybox.read_bytes(), mode=0o755)
    order = modules.load_order(modules.BOOT_MODULES, kernel.dependencies)
    for path in order:
        archive.file(f"modules/{modules.name_of(path)}.ko", kernel.module(path))
    for part in sorted(_AGENT.glob("*.py")):
        archive.file(f"agent/{part.name}", part.read_bytes())
    archive.file("first", _FIRST_PROCESS.encode())
    names = " ".join(modules.name_of(path) for path in order)
    archive.file("init", _INIT.format(modules=names).encode(), mode=0o755)
    return archive.finished()
