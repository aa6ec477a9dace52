"""Taking the fingerprint of the environment that this process runs in."""

from __future__ import annotations

import contextlib
import functools
import gzip
import os
import platform
import re
import time
from collections.abc import Iterable
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import cnbench
from cnbench.containers.image import image as container_image
from cnbench.control_plane.binaries import versions as server_versions
from cnbench.control_plane.given.cluster import identity as cluster_identity
from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.core.fingerprint import Fingerprint
from cnbench.core.kernels.throttling import THROTTLING, throttling_era
from cnbench.lab import commands
from cnbench.lab.host import Lab
from cnbench.lab.netns import open_netns
from cnbench.lab.storage import disk

# Options that change what the measured paths cost. Names from the kernel's Kconfig files.
_CONFIG = (
    "HZ", "PREEMPT", "PREEMPT_VOLUNTARY", "PREEMPT_DYNAMIC", "NO_HZ_FULL", "CFS_BANDWIDTH",
    "NF_CONNTRACK", "IP_VS", "NET_IPIP", "VXLAN", "DEBUG_KERNEL", "KASAN", "PROVE_LOCKING",
)  # fmt: skip

_SYSCTLS = (
    "kernel.sched_cfs_bandwidth_slice_us",
    "kernel.sched_autogroup_enabled",
    "net.core.default_qdisc",
    "net.core.netdev_max_backlog",
    "net.core.netdev_budget",
    "net.core.netdev_budget_usecs",
    "net.core.dev_weight",
    "net.core.rmem_default",
    "net.core.rmem_max",
    "net.core.wmem_default",
    "net.core.wmem_max",
    "net.netfilter.nf_conntrack_max",
)

# Of a new network namespace, where everything is measured. The first three it inherits from the
# machine's own (tcp_sk_init of net/ipv4/tcp_ipv4.c): with a tcp_rmem of a hundredth, pod-network
# had half its throughput. The last it does not.
_SYSCTLS_OF_A_NEW_NAMESPACE = (
    "net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
    "net.core.somaxconn",
)

# From linux/time.h; Python does not name it.
_CLOCK_MONOTONIC_COARSE = 6

_TOOLS = {
    "iptables": "--version",
    "nft": "--version",
    "ipset": "--version",
    "ipvsadm": "--version",
    "iperf3": "--version",
    "ip": "-V",
    "mkfs.ext4": "-V",
    "mkfs.xfs": "-V",
    "mkfs.btrfs": "--version",
    "fuse-overlayfs": "--version",
    "runc": "--version",
    "crun": "--version",
    "containerd": "--version",
}


def take(lab: Lab, image: str = "") -> Fingerprint:
    """The fingerprint of this machine as ``lab`` sees it; ``image`` is a guest image's digest."""
    return Fingerprint(
        lab=lab.name,
        clock=lab.clock.name,
        kernel=platform.release(),
        machine=_machine() | cluster_identity(),
        behaviour={
            **_config(),
            **_tick(),
            **_sysctls(_SYSCTLS),
            **_sysctls_of_a_new_namespace(),
            **_mitigations(),
            **_cpu_policy(),
            THROTTLING: throttling_era(platform.release()),
            **disk.describe(lab.folder),
        },
        tools=tools(),
        image=image,
    )


def _machine() -> dict[str, str]:
    cpuinfo = _read("/proc/cpuinfo")
    meminfo = _read("/proc/meminfo")
    kib = int(re.search(r"MemTotal:\s+(\d+)", meminfo)[1]) if meminfo else 0  # type: ignore[index]
    model = re.search(r"model name\s*:\s*(.+)", cpuinfo)
    return {
        "cpu": model[1] if model else platform.machine(),
        "cpus": str(len(os.sched_getaffinity(0))),
        "memory": f"{kib / 2**20:.0f} GiB",
        "virtualised": "yes" if re.search(r"^flags.*\bhypervisor\b", cpuinfo, re.M) else "no",
    }


def _config() -> dict[str, str]:
    text = _kernel_config()
    if text is None:
        return {"kernel configuration": "not readable"}
    found = dict(re.findall(r"^CONFIG_(\w+)=(.*)$", text, re.M))
    return {f"CONFIG_{name}": found.get(name, "n") for name in _CONFIG}


def _kernel_config() -> str | None:
    for path in (Path("/proc/config.gz"), Path(f"/boot/config-{platform.release()}")):
        try:
            raw = path.read_bytes()
        except OSError:
            continue
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    return None


def _tick() -> dict[str, str]:
    """The time between two ticks of the scheduler, 1 / HZ, whether or not the kernel shows its HZ.

    A coarse clock moves with the tick, and says so (clock_getres(2)).
    """
    seconds = time.clock_getres(_CLOCK_MONOTONIC_COARSE)
    return {"timer tick": f"{seconds * 1e3:g} ms"}


def _sysctls(names: Iterable[str]) -> dict[str, str]:
    found = {name: _read("/proc/sys/" + name.replace(".", "/")) for name in names}
    return {name: " ".join(value.split()) for name, value in found.items() if value}


def _sysctls_of_a_new_namespace() -> dict[str, str]:
    """What traffic will meet; nothing where no namespace can be made, nor then anything sent."""
    try:
        with open_netns("fingerprint", {}) as namespace, namespace.entered():
            return _sysctls(_SYSCTLS_OF_A_NEW_NAMESPACE)
    except CnbenchError:
        return {}


def _mitigations() -> dict[str, str]:
    folder = Path("/sys/devices/system/cpu/vulnerabilities")
    return {f"mitigation {path.name}": _read(path) for path in _files(folder)}


def _cpu_policy() -> dict[str, str]:
    cpu = "/sys/devices/system/cpu"
    settings = {
        "clock source": "/sys/devices/system/clocksource/clocksource0/current_clocksource",
        "frequency governor": f"{cpu}/cpu0/cpufreq/scaling_governor",
        "hyper-threading": f"{cpu}/smt/control",
        "transparent huge pages": "/sys/kernel/mm/transparent_hugepage/enabled",
    }
    return {name: value for name, path in settings.items() if (value := _read(path))}


@functools.cache
def tools() -> dict[str, str]:
    """The versions of what is measured with, asked for once."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"cnbench": cnbench.__version__, "python": platform.python_version()}
    try:
        found["pyroute2"] = version("pyroute2")
    except PackageNotFoundError:
        found["pyroute2"] = "version unknown"
    for tool, option in _TOOLS.items():
        if commands.find(tool):
            try:
                said = commands.run([tool, option], check=False, timeout=10)
            except CnbenchError:
                continue
            found[tool] = (said.stdout or said.stderr).strip().partition("\n")[0]
    found["scheduler loops"] = _scheduler_loops()
    with contextlib.suppress(UnsupportedError):
        found["container image"] = container_image().digest
    with contextlib.suppress(UnsupportedError):
        found |= server_versions()
    return found


def _scheduler_loops() -> str:
    """Which loops scheduler-scoring uses; asked without numpy, which takes a while to import."""
    folder = Path(cnbench.__file__).with_name("scheduler") / "loops"
    built = any((folder / f"compiled{suffix}").exists() for suffix in EXTENSION_SUFFIXES)
    return "compiled" if built and os.environ.get("CNBENCH_LOOPS") != "numpy" else "numpy"


def _files(folder: Path) -> Iterable[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
