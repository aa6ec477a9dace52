"""Everything on this machine that a run must leave as it was, as lines of text."""

import fcntl
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

# Sysctls that move by themselves, and why.
MOVING = re.compile(
    r"""^(
    fs\.(dentry|inode|file|aio|quota|epoll)[-.\w]*      # objects in use now
    | kernel\.(random\..*|ns_last_pid|pty\.nr|keys\..*) # drawn anew, counted up, in use now
    | kernel\.perf_event_max_sample_rate                # the kernel lowers it when it is busy
    | kernel\.perf_cpu_time_max_percent
    | kernel\.(osrelease|hostname|tainted)              # tainted: a warning from any driver sets it
    | net\.netfilter\.nf_conntrack_count                # connections now
    | net\.netfilter\..*                                # appear with a module, for all namespaces
    | net\.nf_conntrack_max | net\.bridge\..*           # likewise
    | vm\.(drop_caches|compact_memory|stat_refresh)     # commands rather than settings
    | vm\.nr_.*
    | sunrpc\..*
    )\ =""",
    re.VERBOSE,
)

COMMANDS = (
    ["ip", "-details", "address"],
    ["ip", "-details", "route", "show", "table", "all"],
    ["ip", "-6", "-details", "route", "show", "table", "all"],
    ["ip", "-details", "rule"],
    ["ip", "-6", "-details", "rule"],
    ["ip", "netns"],
    ["iptables-legacy-save"],
    ["iptables-nft-save"],
    ["ip6tables-legacy-save"],
    ["ip6tables-nft-save"],
    ["nft", "list", "ruleset"],
    ["losetup", "--all"],
)
# What counts down or up on its own, and remarks with the time of day.
NOISE = re.compile(r"(valid_lft|preferred_lft|expires) \S+|\[\d+:\d+\]|^# .*|users \d+")
# What other runs and other tests on this machine may have made, or remove, at the same time.
OTHERS = re.compile(r"cnbench-|/run/cnbench/|pytest-of-")


def tool(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def snapshot():
    """The state now, a set of lines that each begin with where they are from."""
    lines = set()
    for argv in COMMANDS:
        path = tool(argv[0])
        if path is None:
            continue
        said = subprocess.run([path, *argv[1:]], capture_output=True, text=True)
        lines |= {f"{' '.join(argv)}: {NOISE.sub('', line)}" for line in said.stdout.splitlines()}
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    lines |= {f"mounts: {line}" for line in mounts}
    lines |= {f"cgroups: {line}" for line in cgroups(mounts)}
    lines |= {f"sysctl: {line}" for line in sysctls()}
    for folder, pattern in (("/run/netns", "*"), ("/tmp", "cnbench-*"), ("/run/cnbench", "*")):
        lines |= {f"files: {path}" for path in Path(folder).glob(pattern)}
    return lines


def cgroups(mounts):
    for line in mounts:
        kind, target = line.partition(" - ")[2].split()[0], line.split()[4]
        if kind in ("cgroup", "cgroup2"):
            yield from (folder for folder, _, _ in os.walk(target))
        if kind == "cgroup2":
            yield f"{target} passes on {Path(target, 'cgroup.subtree_control').read_text()}"


def sysctls():
    path = tool("sysctl")
    said = subprocess.run([path, "--all"], capture_output=True, text=True).stdout if path else ""
    return [line for line in said.splitlines() if not MOVING.match(line)]


def differences(before, patience=60.0):
    """What is there and was not, and what was there and is gone, once things had time to settle.

    A leak stays for ever, what others make meanwhile does not; so only what is different each time
    counts.
    """
    give_up = time.monotonic() + patience
    now = snapshot()
    new, gone = now - before, {line for line in before - now if not OTHERS.search(line)}
    while (new := without_the_living(new)) | gone and time.monotonic() < give_up:
        time.sleep(0.5)
        now = snapshot()
        new, gone = new & (now - before), gone & (before - now)
    return sorted(new), sorted(gone)


def without_the_living(lines):
    """``lines`` less those of runs that are alive; those that we test have all ended."""
    alive = [journal.stem for journal in Path("/run/cnbench").glob("*.jsonl") if locked(journal)]
    return {line for line in lines if not any(run in line for run in alive)}


def locked(journal):
    try:
        with journal.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        pass
    return False


def processes_with(mark, patience=60.0):
    """Processes whose environment has ``mark``, once they had time to end."""
    give_up = time.monotonic() + patience
    while (found := list(_alive_with(mark))) and time.monotonic() < give_up:
        time.sleep(0.1)
    return found


def _alive_with(mark):
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                yield folder.name, (folder / "cmdline").read_bytes()
        except OSError:
            continue
