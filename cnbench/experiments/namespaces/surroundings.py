"""What is there beside the namespaces that are measured: others that live, mounts, contents."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterator, Sequence
from pathlib import Path

from cnbench.core.errors import UnsupportedError
from cnbench.lab import kernel_memory, libc
from cnbench.lab.host import Lab
from cnbench.lab.namespaces.children import in_child
from cnbench.lab.namespaces.kinds import Kind
from cnbench.lab.namespaces.residents import open_resident
from cnbench.lab.netns import NetworkNamespace

# What a network namespace is filled with: so many routes, or rules of a firewall.
ENTRIES = 1000
_SPARE_DESCRIPTORS = 200


@contextlib.contextmanager
def open_living(kinds: Sequence[Kind], count: int, lab: Lab) -> Iterator[list[int]]:
    """Descriptors of ``count`` namespaces of each of ``kinds``, without a process in them.

    Raises:
        UnsupportedError: this process may not have so many.
    """
    _allow_descriptors(count * len(kinds))
    with contextlib.ExitStack() as stack:
        held: list[int] = []
        for _ in range(count):
            with open_resident(kinds, "clone3", lab.clock) as resident:
                for kind in kinds:
                    held.append(resident.namespace(kind.link))
                    stack.callback(os.close, held[-1])
        yield held


@contextlib.contextmanager
def weighed_living(
    kinds: Sequence[Kind], count: int, lab: Lab
) -> Iterator[tuple[list[int], float]]:
    """As ``open_living``, and by how many bytes the kernel's memory grew for each."""
    empty = kernel_memory.in_use()
    with open_living(kinds, count, lab) as held:
        yield held, (kernel_memory.in_use() - empty) / max(1, count)


def _allow_descriptors(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + _SPARE_DESCRIPTORS
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise UnsupportedError(
            f"{count} namespaces are more than the {hard} files this process may open",
            "raise it (ulimit -Hn), or ask for fewer: -p live=",
        )
    if soft != resource.RLIM_INFINITY and wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@contextlib.contextmanager
def open_mounts(count: int, folder: Path) -> Iterator[int]:
    """A descriptor of a mount namespace with ``count`` more mounts than ours, all in ``folder``."""
    opened: list[int] = []

    def mount_all() -> int:
        libc.unshare(libc.CLONE_NEWNS)
        libc.keep_mounts_to_oneself()
        libc.mount("none", str(folder), "tmpfs", "")
        for number in range(count - 1):
            target = folder / str(number)
            target.mkdir()
            libc.mount("none", str(target), "tmpfs", "")
        return count

    def hold(pid: int) -> None:
        opened.append(os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC))

    in_child(mount_all, hold)
    try:
        yield opened[0]
    finally:
        os.close(opened[0])


def count_mounts() -> int:
    """How many mounts the calling process sees."""
    return len(Path("/proc/self/mountinfo").read_text().splitlines())


def fill(pid: int, contents: str, lab: Lab) -> int:
    """Fill the network namespace that a process is in; how many entries it then has.

    Raises:
        CommandError: the firewall's tool failed.
    """
    descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        namespace = NetworkNamespace(
            "filled", descriptor, {"XTABLES_LOCKFILE": str(lab.folder / "xtables.lock")}
        )
        return _FILLINGS[contents](namespace)
    finally:
        os.close(descriptor)


def _nothing(namespace: NetworkNamespace) -> int:
    return 0


def _veth(namespace: NetworkNamespace) -> int:
    with namespace.netlink() as route:
        route.link("add", ifname="one", kind="veth", peer={"ifname": "other"})
        return len(route.link_lookup(kind="veth")) // 2


def _routes(namespace: NetworkNamespace) -> int:
    lines = [f"route add blackhole 10.{n >> 8}.{n & 255}.0/24\n" for n in range(ENTRIES)]
    namespace.run(["ip", "-batch", "-"], input=lines)
    return len(namespace.run(["ip", "route", "show", "type", "blackhole"]).stdout.splitlines())


def _nft(namespace: NetworkNamespace) -> int:
    rules = [f"ip daddr 10.{n >> 8}.{n & 255}.1 counter\n" for n in range(ENTRIES)]
    text = ["table ip filled {\nchain rules {\n", *rules, "}\n}\n"]
    namespace.run(["nft", "-f", "-"], input=text)
    return namespace.run(["nft", "list", "table", "ip", "filled"]).stdout.count("counter")


def _iptables(namespace: NetworkNamespace) -> int:
    rules = [f"-A INPUT -d 10.{n >> 8}.{n & 255}.1/32 -j ACCEPT\n" for n in range(ENTRIES)]
    text = ["*filter\n:INPUT ACCEPT [0:0]\n", *rules, "COMMIT\n"]
    namespace.run(["iptables-legacy-restore"], input=text)
    return namespace.run(["iptables-legacy-save", "-t", "filter"]).stdout.count("-A INPUT")


_FILLINGS = {
    "empty": _nothing, "veth": _veth, "routes": _routes, "nft": _nft, "iptables": _iptables,
}  # fmt: skip
