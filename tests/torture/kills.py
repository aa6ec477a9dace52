"""Random deaths: of a run, of its process group and of any child, by signals of all kinds.

Each trial is one `cnbench run` with folders of its own, ended at a moment of no meaning. Afterwards
the machine must be as it was, every run file must be readable, and a signal that asks must have
ended the run. After SIGKILL `cnbench gc` may tidy up first; after the others there is nothing to.
"""

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import host_state

from cnbench.core.errors import CnbenchError
from cnbench.store import run_file
from cnbench.store.runs import all_runs

# How long a run asked to stop may take to prove and take down what it has.
PATIENCE = 180.0
_SECONDS_WITHOUT_A_CHILD = 15.0
ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_SHORT = ("--budget", "1s")
_CONTROLLERS = (
    *("accounting", "cpuset", "devices", "freezer", "hugetlb", "io", "io-weight", "memory"),
    *("memory-high", "net-cls", "net-prio", "perf-event", "pids", "pressure", "reclaim", "scale"),
)
# A run of each experiment, and about how long it takes in seconds on two busy processors.
HOST_RUNS = {
    "cpu-burst": (["cpu-burst", "-p", "burst=0%", *_SHORT], 6),
    "cpu-quota": (["cpu-quota", "-p", "quota=20%", "-p", "period=10ms", *_SHORT], 5),
    "cpu-weight": (["cpu-weight", "-p", "ratio=2", "-p", "time=100ms", *_SHORT], 5),
    "copy-up": (
        [
            "copy-up",
            "-p",
            "size=64KiB",
            "-p",
            "filesystem=tmpfs,ext4",
            "-p",
            "trigger=open",
            *_SHORT,
        ],
        6,
    ),
    "service-routing": (
        ["service-routing", "-p", "services=10", "-p", "position=first", *_SHORT],
        6,
    ),
    "pod-network": (["pod-network", "-p", "backend=bgp", "-p", "traffic=tcp-stream", *_SHORT], 10),
    "container-network": (
        ["container-network", "-p", "mode=bridge", "-p", "traffic=tcp-rr", *_SHORT],
        8,
    ),
    "route-convergence": (["route-convergence", "-p", "routes=1", *_SHORT], 8),
    "scheduler-scoring": (["scheduler-scoring", "-p", "nodes=100", *_SHORT], 4),
    "namespaces": (["namespaces", *_SHORT], 6),
    # What cgroup v1 lacks (memory-high, pressure, reclaim) ends before it makes anything there.
    **{f"cgroup-{name}": ([f"cgroup-{name}", *_SHORT], 5) for name in _CONTROLLERS},
    "cni": (["cni", *_SHORT], 10),
    "pleg": (["pleg", "-p", "pods=2", *_SHORT], 10),
    "oom-notice": (["oom-notice", *_SHORT], 12),
    "container-gc": (["container-gc", "-p", "dead=1", *_SHORT], 12),
    "container-start": (["container-start", *_SHORT], 12),
    "kubelet-stats": (["kubelet-stats", "-p", "pods=2", *_SHORT], 10),
    "csi": (["csi", *_SHORT], 8),
    "image": (["image", "-p", "layers=4", *_SHORT], 10),
}  # fmt: skip
# Of what is measured only where it is named, since `cnbench control-plane build` comes first.
NAMED_RUNS = {
    "list-watch": (["list-watch", "-p", "objects=100", "-p", "way=list,watch-relist", *_SHORT], 60),
    "informer": (["informer", "-p", "objects=100", "-p", "form=whole", *_SHORT], 40),
    "reconcile": (
        ["reconcile", "-p", "change=create,roll", "-p", "replicas=1", "-p", "nodes=1", *_SHORT],
        40,
    ),
    "service-change": (["service-change", "-p", "services=2", *_SHORT], 40),
    "etcd": (["etcd", "-p", "server=kubernetes-1.20", "-p", "call=put,watch", *_SHORT], 20),
    "syncloop": (["syncloop", "-p", "pods=1", *_SHORT], 60),
}
GUEST_RUNS = {
    "guest": (
        ["service-routing", "-p", "mode=iptables", "-p", "services=1", "-p", "position=first",
         "--lab", "guest"],
        15,
    ),
}  # fmt: skip


@dataclass
class Death:
    """One trial, and what was wrong after it; nothing, if all held."""

    name: str
    target: str
    number: signal.Signals
    after: float
    landed: bool = False
    leaks_before_gc: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    swallowed: bool = False
    differences: list[str] = field(default_factory=list)
    # Of one that was asked and left something: its last words, and its journals.
    told: list[str] = field(default_factory=list)

    @property
    def asks(self):
        """Whether the run itself was asked to stop, and could tidy up by itself."""
        return self.number in ASKING and self.target != "child"

    @property
    def broken(self):
        unasked = self.leaks_before_gc if self.asks else []
        return bool(unasked or self.leaks or self.unreadable or self.swallowed or self.differences)


def random_death(rng, runs, kinds=("kill", "ask", "child")):
    """A trial drawn from all experiments, targets, signals and moments."""
    name = rng.choice(sorted(runs))
    kind = rng.choice(kinds)
    target = "child" if kind == "child" else rng.choice(["process", "group"])
    number = {
        "kill": signal.SIGKILL,
        "ask": rng.choice(ASKING),
        "child": rng.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV]),
    }[kind]
    return Death(name, target, number, rng.uniform(0, runs[name][1]))


def carry_out(death, runs, ignored=None):
    """Run it, end it, and look at what is left.

    ``ignored`` is a pattern of what others on this machine change meanwhile.
    """
    before = host_state.snapshot()
    with tempfile.TemporaryDirectory(prefix="torture-") as home:
        # Whatever the run makes outside of the home has its number, which the journal says.
        trial = _Trial(Path(home), runs[death.name][0])
        try:
            _strike(death, trial)
        finally:
            trial.process.kill()
            trial.said = trial.process.communicate()
        death.leaks_before_gc = trial.leaks(3 if death.asks else 0)
        if death.asks and death.leaks_before_gc:
            death.told = [f"exit code {trial.process.returncode}", *trial.said, *trial.journals()]
        subprocess.run(CNBENCH_GC, env=trial.environment, capture_output=True, check=False)
        death.leaks = trial.leaks(3)
        death.unreadable = list(trial.unreadable())
    new, gone = host_state.differences(before, patience=20)
    ours = [line for line in new if not host_state.OTHERS.search(line)]
    found = [f"new: {line}" for line in ours] + [f"gone: {line}" for line in gone]
    death.differences = [one for one in found if not (ignored and re.search(ignored, one))]
    return death


CNBENCH = [sys.executable, "-c", "from cnbench.cli.main import main; main()"]
CNBENCH_GC = [*CNBENCH, "gc"]


def _no_signal_ignored():
    for number in ASKING:
        signal.signal(number, signal.SIG_DFL)


class _Trial:
    def __init__(self, home, arguments):
        self.home = home
        for name in ("tmp", "runs"):
            (home / name).mkdir()
        self.environment = os.environ | {
            "TMPDIR": str(home / "tmp"),
            "CNBENCH_RESULTS": str(home / "runs"),
        }
        self.numbers = set()
        self.said = ("", "")
        self.process = subprocess.Popen(
            [*CNBENCH, "run", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            process_group=0,
            cwd=home,
            # Who starts us in the background may have had them ignored (nohup does).
            preexec_fn=_no_signal_ignored,  # noqa: PLW1509
        )

    def wait(self, seconds):
        """Wait so long, or until it has ended, and learn its number meanwhile."""
        give_up = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < give_up:
            self.learn()
            time.sleep(0.02)
        self.learn()
        return self.process.returncode

    def learn(self):
        for journal in Path("/run/cnbench").glob("*.jsonl"):
            with contextlib.suppress(OSError):
                if str(self.home) in journal.read_text():
                    self.numbers.add(journal.stem)

    def journals(self):
        """What is in the run's journals, now."""
        for number in self.numbers:
            with contextlib.suppress(OSError):
                yield Path(f"/run/cnbench/{number}.jsonl").read_text()

    def children(self):
        """All processes below the run's, at any depth."""
        found, todo = [], [self.process.pid]
        while todo:
            with contextlib.suppress(OSError):
                for thread in Path(f"/proc/{todo.pop()}/task").iterdir():
                    new = [int(pid) for pid in (thread / "children").read_text().split()]
                    found += new
                    todo += new
        return found

    def leaks(self, patience):
        """What is there of the run: its processes, and all that its numbers name."""
        self.learn()
        give_up = time.monotonic() + patience
        while (found := sorted(self._leaks())) and time.monotonic() < give_up:
            time.sleep(0.1)  # a killed process takes a moment to go
        return found

    def _leaks(self):
        yield from (str(path) for path in (self.home / "tmp").iterdir())
        yield from (str(path) for path in (self.home / "runs").glob(".*"))
        yield from (f"process {pid}: {argv!r}" for pid, argv in _processes_of(self.home))
        state = host_state.snapshot() if self.numbers else ()
        yield from (line for line in state if any(number in line for number in self.numbers))

    def unreadable(self):
        for path in all_runs(self.home / "runs"):
            try:
                run_file.read(path)
            except CnbenchError as error:
                yield str(error)


def _strike(death, trial):
    trial.wait(death.after)
    if trial.process.poll() is not None:
        return  # it was faster
    if death.target == "child":
        children = trial.children()
        if not children:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(random.choice(children), death.number)
            death.landed = True
        # The run itself goes on without it, or fails in its own words.
        trial.wait(_SECONDS_WITHOUT_A_CHILD)
        return
    send = os.killpg if death.target == "group" else os.kill
    with contextlib.suppress(ProcessLookupError):
        send(trial.process.pid, death.number)
        death.landed = True
    code = trial.wait(PATIENCE)
    if death.asks and code != 130:
        # Before Python has come to our first line, a signal ends the process as it always does.
        death.swallowed = code not in (-death.number, -signal.SIGINT)


def _processes_of(home):
    mark = f"TMPDIR={home}/tmp".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name), (folder / "cmdline").read_bytes()
