"""What runs inside a guest: it prepares the machine, and then does what the host asks.

This file is put into the initramfs as it is, and imports nothing of ours. Host and agent talk in
JSON lines over a virtio-serial port. The agent answers each request with one line, in which
``agent`` says what kind of answer it is:

    {"do": "load", "modules": [...]}      {"agent": "loaded", "failed": {name: reason}}
    {"do": "attach", "import": [...]}     {"agent": "attached"}: the code disk is at CODE, and all
                                          that is run from now on has these modules in memory;
                                          "module:function" is called, too, for what it remembers
    {"do": "run", "module": ...,          {"agent": "ended", "status": ..., "stderr": ...}
     "arguments": [...]}
    {"do": "reseed"}                      {"agent": "reseeded", "key": hex}: random numbers follow
                                          from a new key, at that address ("": unknown)
    {"do": "draw"}                        {"agent": "drew", "number": hex}
    {"do": "off"}                         the machine goes off
    anything that fails                   {"agent": "failed", "reason": ...}

While a module runs, its standard input and output are the port itself: the agent neither reads nor
wakes, so it costs the measurement nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import functools
import importlib
import json
import os
import runpy
import select
import signal
import stat
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PORT_NAME = "cnbench"
# The environment variable that names the process which is busy when no other is.
IDLER = "CNBENCH_IDLER"
CODE = "/usr/local/lib/cnbench"
CODE_DISK = "/dev/vdc"
DEBIANS_PYTHON = "/usr/lib/python3/dist-packages"
STDERR = Path("/run/cnbench-stderr")

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
_MS_RDONLY = 1
_PROT_READ = 1
_MAP_HELD = 0x1 | 0x2000 | 0x8000  # MAP_SHARED, MAP_LOCKED, MAP_POPULATE
_MAP_FAILED = ctypes.c_void_p(-1).value
_NEVER_KILLED = "-1000"
_BLKFLSBUF = 0x1261  # linux/fs.h: forget what is cached of a block device
_RNDRESEEDCRNG = 0x5207  # linux/random.h
_ON_INSTRUCTION_CLOCK = "cnbench.clock=instructions"
_MANY_SEEDS_SECONDS = 130
_STDERR_KEPT = 4000
# Imported before a state is saved, so that no measurement waits for them: under emulation each
# costs milliseconds. All of the standard library that the measuring side commonly needs.
_IMPORTED_EARLY = (
    *("argparse", "array", "asyncio", "collections", "ctypes", "dataclasses", "enum", "errno"),
    *("functools", "hashlib", "itertools", "logging", "math", "platform", "random", "re", "select"),
    *("shutil", "signal", "socket", "statistics", "struct", "tempfile", "threading", "typing"),
)

# Read before a state is saved: waiting for a disk takes the host's time, and while a guest on the
# instruction clock waits, its own time runs far ahead.
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

Request = dict[str, Any]


def prepare() -> None:
    """Mount what a Linux system has mounted, and have at hand what will be needed."""
    for filesystem, target, *options in _MOUNTS:
        Path(target).mkdir(parents=True, exist_ok=True)
        _mount(filesystem, target, filesystem, options=",".join(options))
    for folder in _FOLDERS:
        Path(folder).mkdir(parents=True, exist_ok=True)
    Path("/etc/modprobe.d/cnbench.conf").write_text(_MODULE_OPTIONS)
    _make_static_nodes()
    _tool("ip", "link", "set", "lo", "up")
    for name in _IMPORTED_EARLY:
        __import__(name)
    for path in sorted({*_tool_files(), *_module_files(), *_EXTENSIONS.glob("*.so")}):
        _hold(path)
    _settle_random_numbers()
    _widen_neighbour_table()
    if _ON_INSTRUCTION_CLOCK in Path("/proc/cmdline").read_text():
        os.environ[IDLER] = str(_start_idler())
    # What is measured dies first, so that the host hears of it.
    Path("/proc/self/oom_score_adj").write_text(_NEVER_KILLED)


def _start_idler() -> int:
    """A process, stopped, that runs when no other would (see lab/idler.py, which takes it over)."""
    idler = os.fork()
    if idler == 0:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        os.kill(os.getpid(), signal.SIGSTOP)
        while True:
            pass
    os.waitpid(idler, os.WUNTRACED)
    return idler


@contextlib.contextmanager
def _never_idle() -> Iterator[None]:
    """Have something to execute inside, whoever waits for what.

    Where the guest waits for a disk its clock would skip from timer to timer, for minutes until the
    host has read it, and so past the time at which the kernel seeds its random numbers anew.
    """
    if IDLER not in os.environ:
        yield
        return
    os.kill(int(os.environ[IDLER]), signal.SIGCONT)
    try:
        yield
    finally:
        os.kill(int(os.environ[IDLER]), signal.SIGSTOP)


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
    _tool("ip", "link", "add", device, "type", "dummy")
    _tool("ip", "link", "set", device, "up")
    entries = (
        f"neigh add 10.0.{number >> 8}.{number & 255} lladdr 02:00:00:00:00:01 dev {device}\n"
        for number in range(_MORE_NEIGHBOURS)
    )
    _tool("ip", "-batch", "-", said="".join(entries))
    _tool("ip", "link", "delete", device)


def _settle_random_numbers() -> None:
    """Have the kernel's random number generator seeded, and for a while not again.

    Until it is seeded, a kernel hashes all its entropy for each number it needs: nine thousand
    instructions more for every packet of a connection, and when that ends would be chance. Later it
    is seeded anew from the timing of interrupts, which no two runs share: every minute, but more
    often in its first two (drivers/char/random.c), so a state is saved after those, and just after
    a seed (see `reseed`).
    """
    os.getrandom(1)
    if _ON_INSTRUCTION_CLOCK in Path("/proc/cmdline").read_text():
        # Passes at once: an idle guest on that clock skips to its next timer.
        time.sleep(_MANY_SEEDS_SECONDS)


def _hold(path: Path) -> None:
    """Read a file and keep it in memory for good.

    Otherwise a guest whose memory runs out throws its programs away and reads them again, for ever,
    instead of ending the process that took the memory.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    length = ctypes.c_size_t(path.stat().st_size)
    with path.open("rb") as file:
        place = libc.mmap(None, length, _PROT_READ, _MAP_HELD, file.fileno(), ctypes.c_long(0))
    if place == _MAP_FAILED:
        raise RuntimeError(f"holding {path}: {os.strerror(ctypes.get_errno())}")


def _tool_files() -> set[Path]:
    """The tools with all libraries they are linked to."""
    files = {Path(tool) for tool in _TOOLS}
    for tool in _TOOLS:
        listing = _tool("/lib64/ld-linux-x86-64.so.2", "--list", tool)
        words = (word for line in listing.splitlines() for word in line.split())
        files |= {Path(word) for word in words if word.startswith("/")}
    return files


def _module_files() -> set[Path]:
    """The modules with all they need, of those that this kernel has."""
    argv = ("modprobe", "--all", "--show-depends", *_MODULES)
    listing = subprocess.run(argv, check=False, capture_output=True, text=True).stdout
    words = (line.split() for line in listing.splitlines())
    return {Path(word[1]) for word in words if word[0] == "insmod"}


def load(request: Request) -> Request:
    """Load kernel modules with all they need; those that fail are told with modprobe's reason."""
    failed = {}
    for name in request["modules"]:
        try:
            _tool("modprobe", "--", name)
        except RuntimeError as error:
            failed[name] = str(error)
    return {"agent": "loaded", "failed": failed}


def attach(request: Request) -> Request:
    """Mount the disk with the measuring code, which is another one after a restore.

    What is to be imported is imported here, once, for all that is run afterwards: each is a fork.
    """
    with open(CODE_DISK, "rb") as disk:  # noqa: PTH123  a device
        fcntl.ioctl(disk, _BLKFLSBUF)
    _mount(CODE_DISK, CODE, "squashfs", _MS_RDONLY)
    sys.path.insert(0, CODE)
    # Python runs without site, which would have added it: numpy is there.
    sys.path.append(DEBIANS_PYTHON)
    for name in request.get("import", []):
        module, _, function = name.partition(":")
        # Who needs one that does not load hears of it when it is run.
        with contextlib.suppress(Exception):
            imported = importlib.import_module(module)
            if function:
                getattr(imported, function)()
    return {"agent": "attached"}


def reseed(_: Request) -> Request:
    """Have the kernel's random numbers follow from a new key, and tell where that is."""
    key = _address_of(b"base_crng")
    with open("/dev/urandom", "rb") as device:  # noqa: PTH123  a device
        fcntl.ioctl(device, _RNDRESEEDCRNG)
    return {"agent": "reseeded", "key": key}


@functools.cache
def _address_of(symbol: bytes) -> str:
    """Where the kernel has a variable, or the empty text: five megabytes to look through."""
    listing = Path("/proc/kallsyms").read_bytes()
    found = listing.find(b" " + symbol + b"\n")
    line = listing[listing.rfind(b"\n", 0, found) + 1 : found]
    return line.split()[0].decode() if found >= 0 else ""


def draw(_: Request) -> Request:
    """A random number."""
    return {"agent": "drew", "number": os.getrandom(16).hex()}


def run(request: Request, port: int) -> Request:
    """Run a Python module in a child, and say how it ended."""
    child = os.fork()
    if child == 0:
        _become(request["module"], request.get("arguments", []), port)
    _, status = os.waitpid(child, 0)
    return {
        "agent": "ended",
        "status": os.waitstatus_to_exitcode(status),
        "stderr": STDERR.read_text(errors="replace")[-_STDERR_KEPT:],
    }


def _become(module: str, arguments: list[str], port: int) -> None:
    """Run ``module`` in this forked child as ``python3 -m`` would; does not return."""
    status = 1
    try:
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("0")
        errors = os.open(STDERR, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(port, 0)
        os.dup2(port, 1)
        os.dup2(errors, 2)
        sys.argv = [module, *arguments]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            os.write(2, end.code.encode() + b"\n")
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os._exit(status)


def _tool(*argv: str, said: str = "") -> str:
    """What a tool prints, to which ``said`` is told on its standard input."""
    done = subprocess.run(argv, check=False, input=said, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or f"{argv[0]} exited with {done.returncode}")
    return done.stdout


def _mount(source: str, target: str, filesystem: str, flags: int = 0, options: str = "") -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = (source.encode(), target.encode(), filesystem.encode())
    if libc.mount(*arguments, flags, options.encode()) != 0:
        raise RuntimeError(f"mounting {source} on {target}: {os.strerror(ctypes.get_errno())}")


def open_port() -> int:
    """The port to the host, which appears a moment after its driver."""
    while True:
        for name in Path("/sys/class/virtio-ports").glob("*/name"):
            if name.read_text().strip() == PORT_NAME:
                return os.open(f"/dev/{name.parent.name}", os.O_RDWR)
        time.sleep(0.01)


def read_line(port: int) -> bytes:
    """One line from the host, and not a byte more: what follows may be for a module.

    It asks again and again instead of sleeping: an idle guest on the instruction clock skips to
    its next timer at once, and would live through days while the host starts up.
    """
    poller = select.poll()
    poller.register(port, select.POLLIN)
    line = b""
    while not line.endswith(b"\n"):
        while not poller.poll(0):
            pass
        byte = os.read(port, 1)
        if not byte:
            # The host's end is closed: nobody will ever ask again.
            return b'{"do": "off"}'
        line += byte
    return line


def serve(port: int) -> None:
    """Do what the host asks until it asks to go off."""
    steps: dict[str, Callable[[Request], Request]] = {
        "load": load,
        "attach": attach,
        "reseed": reseed,
        "draw": draw,
        "run": lambda request: run(request, port),
    }
    _say(port, {"agent": "ready", "release": os.uname().release, "python": sys.version.split()[0]})
    while (request := json.loads(read_line(port)))["do"] != "off":
        try:
            with _never_idle():
                answer = steps[request["do"]](request)
        except Exception as error:
            answer = {"agent": "failed", "reason": f"{request['do']}: {error}"}
        _say(port, answer)


def _say(port: int, answer: Request) -> None:
    # A module may have left an unfinished line behind.
    line = b"\n" + json.dumps(answer).encode() + b"\n"
    while line:
        line = line[os.write(port, line) :]


def main() -> None:
    """Prepare and serve; what goes wrong before the host can be told is left on the console."""
    try:
        prepare()
        port = open_port()
    except Exception as error:
        sys.exit(f"cnbench: the agent could not prepare the guest: {error}")
    serve(port)


if __name__ == "__main__":
    main()
