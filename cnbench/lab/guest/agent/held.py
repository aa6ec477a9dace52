"""Files that a guest has in memory from before its state is saved: tools and kernel modules.

Waiting for a disk takes the host's time, and while a guest on the instruction clock waits, its own
time runs far ahead.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path

from .system import tool

_PROT_READ = 1
_MAP_HELD = 0x1 | 0x2000 | 0x8000  # MAP_SHARED, MAP_LOCKED, MAP_POPULATE
_MAP_FAILED = ctypes.c_void_p(-1).value
_TOOLS = (
    *("/usr/sbin/xtables-nft-multi", "/usr/sbin/xtables-legacy-multi", "/usr/sbin/nft"),
    *("/usr/sbin/ipset", "/usr/sbin/ipvsadm", "/usr/bin/ip", "/usr/sbin/tc", "/usr/sbin/bridge"),
    *("/usr/bin/iperf3", "/usr/bin/kmod", "/usr/bin/mount", "/usr/bin/umount", "/usr/sbin/losetup"),
    *("/usr/sbin/mke2fs", "/usr/sbin/mkfs.xfs", "/usr/sbin/mkfs.btrfs", "/usr/sbin/sysctl"),
    *("/usr/bin/wg", "/usr/sbin/bird", "/usr/sbin/birdc"),
    *("/usr/bin/setpriv", "/usr/bin/env", "/usr/bin/dash", "/usr/bin/python3", "/usr/sbin/ethtool"),
)
_EXTENSIONS = Path("/usr/lib/x86_64-linux-gnu/xtables")
_MODULES = (
    *("veth", "bridge", "br_netfilter", "dummy", "ipip", "vxlan", "overlay", "loop"),
    *("geneve", "ip_gre", "wireguard", "macvlan", "ipvlan", "ext4", "xfs", "btrfs"),
    *("sch_netem", "sch_tbf", "sch_fq", "ip_vs", "ip_vs_rr", "ip_vs_sh", "ip_vs_wrr", "ip_set"),
    *("nf_tables", "nft_compat", "nft_nat", "nft_ct", "nft_masq", "nft_redir", "nft_numgen"),
    *("nft_chain_nat", "nft_fib_ipv4", "nft_fib_inet", "nft_reject_inet", "nf_conntrack_netlink"),
    *("iptable_nat", "iptable_filter", "xt_comment", "xt_conntrack", "xt_mark", "xt_MASQUERADE"),
    *("xt_statistic", "xt_set", "xt_nat", "xt_tcpudp", "xt_addrtype", "xt_REDIRECT", "xt_recent"),
    *("ip_set_hash_ip", "ip_set_hash_ipport", "ip_set_hash_ipportip", "ip_set_hash_ipportnet"),
    *("ip6table_nat", "ip6table_filter", "ip6t_REJECT", "nft_fib_ipv6", "nft_reject_ipv6"),
    *("ip_set_bitmap_port", "nft_counter", "nft_limit", "nft_hash", "nft_objref", "nft_log"),
)


def hold_files() -> None:
    """Keep in memory what a measurement will run or load.

    Raises:
        RuntimeError: one of the tools is not there, or memory does not hold them.
    """
    for path in sorted({*_tool_files(), *_module_files(), *_EXTENSIONS.glob("*.so")}):
        _hold(path)


def _hold(path: Path) -> None:
    """Read a file and keep it in memory for good.

    Otherwise a guest whose memory runs out throws its programs away and reads them again, for ever,
    instead of ending the process that took the memory.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    length = ctypes.c_size_t(path.stat().st_size)
    with path.open("rb") as file:
        address = libc.mmap(None, length, _PROT_READ, _MAP_HELD, file.fileno(), ctypes.c_long(0))
    if address == _MAP_FAILED:
        raise RuntimeError(f"holding {path}: {os.strerror(ctypes.get_errno())}")


def _tool_files() -> set[Path]:
    """The tools with all libraries they are linked to."""
    files = {Path(path) for path in _TOOLS}
    for path in _TOOLS:
        listing = tool("/lib64/ld-linux-x86-64.so.2", "--list", path)
        words = (word for line in listing.splitlines() for word in line.split())
        files |= {Path(word) for word in words if word.startswith("/")}
    return files


def _module_files() -> set[Path]:
    """The modules with all they need, of those that this kernel has."""
    argv = ("modprobe", "--all", "--show-depends", *_MODULES)
    listing = subprocess.run(argv, check=False, capture_output=True, text=True).stdout
    words = (line.split() for line in listing.splitlines())
    return {Path(word[1]) for word in words if word[0] == "insmod"}
