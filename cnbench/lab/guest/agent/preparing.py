"""Making a guest ready: what a Linux system has mounted, and what repeats from boot to boot."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

from . import IDLER, ROOM
from .held import hold_files
from .idle import start_idler
from .per_cpu import fill_per_cpu_memory
from .system import counts_instructions, mount, tool

_MOUNTS = (
    ("sysfs", "/sys"),
    ("cgroup2", "/sys/fs/cgroup"),
    ("devpts", "/dev/pts"),
    ("tmpfs", "/dev/shm"),  # noqa: S108
    # For what a run writes. Images of file systems are sparse, so it may promise all memory.
    ("tmpfs", "/tmp", "size=100%"),  # noqa: S108
)
_FOLDERS = ("/dev/pts", "/dev/shm", "/run/netns", "/run/lock", "/var/lib", "/var/tmp")  # noqa: S108
# Hash tables so large that no two of a run's connections share a chain. With the kernel's own sizes
# each connection left behind makes some of the next ones dearer, and which ones is up to a random
# seed: that is what would set two runs on the instruction clock apart.
_MODULE_OPTIONS = "options nf_conntrack hashsize=262144\noptions ip_vs conn_tab_bits=18\n"
_MORE_NEIGHBOURS = 5000
_NEVER_KILLED = "-1000"
_MANY_SEEDS_SECONDS = 130
# Imported before a state is saved, so that no measurement waits for them: under emulation each
# costs milliseconds. All of the standard library that the measuring side commonly needs.
_IMPORTED_EARLY = (
    *("argparse", "array", "asyncio", "collections", "ctypes", "dataclasses", "enum", "errno"),
    *("functools", "hashlib", "itertools", "logging", "math", "platform", "random", "re", "select"),
    *("shutil", "signal", "socket", "statistics", "struct", "tempfile", "threading", "typing"),
)


def prepare() -> None:
    """Mount what a Linux system has mounted, and have at hand what will be needed."""
    for filesystem, target, *options in _MOUNTS:
        Path(target).mkdir(parents=True, exist_ok=True)
        mount(filesystem, target, filesystem, options=",".join(options))
    for folder in _FOLDERS:
        Path(folder).mkdir(parents=True, exist_ok=True)
    Path("/etc/modprobe.d/cnbench.conf").write_text(_MODULE_OPTIONS)
    _make_static_nodes()
    tool("ip", "link", "set", "lo", "up")
    for name in _IMPORTED_EARLY:
        __import__(name)
    hold_files()
    _settle_random_numbers()
    _widen_neighbour_table()
    if counts_instructions():
        os.environ[IDLER] = str(start_idler())
        os.environ[ROOM] = str(fill_per_cpu_memory())
    # What is measured dies first, so that the host hears of it.
    Path("/proc/self/oom_score_adj").write_text(_NEVER_KILLED)


def _make_static_nodes() -> None:
    """Make the devices whose first use loads their module, as a system's start-up does.

    Without /dev/loop-control nobody could ask for the first loop device (kmod-static-nodes(8)).
    """
    listing = Path("/lib/modules", os.uname().release, "modules.devname").read_text()
    for line in listing.splitlines():
        if line.startswith("#"):
            continue
        _, name, kind_and_number = line.split()
        major, minor = kind_and_number[1:].split(":")
        node = Path("/dev", name)
        node.parent.mkdir(parents=True, exist_ok=True)
        if not node.exists():
            kind = stat.S_IFCHR if kind_and_number.startswith("c") else stat.S_IFBLK
            os.mknod(node, 0o600 | kind, os.makedev(int(major), int(minor)))


def _widen_neighbour_table() -> None:
    """Have the kernel's table of IPv4 neighbours so large that hardly two of a run's share a chain.

    It is one for all namespaces, begins with eight chains, and is shuffled by a new random number
    whenever it doubles (net/core/neighbour.c: neigh_hash_grow); it never shrinks again. Every
    packet looks up two of its entries or more, so that two set-ups of one path lay 0.1 % apart.
    """
    device = "wide"
    tool("ip", "link", "add", device, "type", "dummy")
    tool("ip", "link", "set", device, "up")
    entries = (
        f"neigh add 10.0.{number >> 8}.{number & 255} lladdr 02:00:00:00:00:01 dev {device}\n"
        for number in range(_MORE_NEIGHBOURS)
    )
    tool("ip", "-batch", "-", said="".join(entries))
    tool("ip", "link", "delete", device)


def _settle_random_numbers() -> None:
    """Have the kernel's random number generator seeded, and for a while not again.

    Until it is seeded, a kernel hashes all its entropy for each number it needs: nine thousand
    instructions more for every packet of a connection, and when that ends would be chance. Later it
    is seeded anew from the timing of interrupts, which no two runs share: every minute, but more
    often in its first two (drivers/char/random.c), so a state is saved after those, and just after
    a seed (see `reseed`).
    """
    os.getrandom(1)
    if counts_instructions():
        # Passes at once: an idle guest on that clock skips to its next timer.
        time.sleep(_MANY_SEEDS_SECONDS)
