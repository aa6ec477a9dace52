"""A fleet on one machine: a scheduler and workers, each in a network namespace of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnbench.lab.netns import NetworkNamespace, address, join, open_netns

_SCHEDULER = "10.77.0.1"
ADDRESS = f"tcp://{_SCHEDULER}:8786"
_BRIDGE = "members"
_SECONDS_TO_STOP = 60

Process = subprocess.Popen[str]


@dataclass
class FleetInNamespaces:
    """A scheduler, and places for workers.

    Attributes:
        hub: where the scheduler is, and who asks it.
        nodes: where each worker is to be.
        folder: for whatever any of them writes.
    """

    hub: NetworkNamespace
    nodes: Sequence[NetworkNamespace]
    folder: Path
    stack: contextlib.ExitStack

    def start_worker(self, at: int, *options: str, processors: str = "") -> Process:
        """A worker in the namespace ``at``, on ``processors`` (as taskset names them) alone."""
        held = ("taskset", "-c", processors) if processors else ()
        argv = (*held, sys.executable, "-m", "cnbench", "fleet", "worker", ADDRESS, *options)
        return self.stack.enter_context(
            _running(self.nodes[at], argv, self.folder, CNBENCH_NODE=f"node{at}")
        )

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        """What `cnbench fleet run` gives for ``options``."""
        return _ended(self.begun(*options))

    def begun(self, *options: str) -> contextlib.AbstractContextManager[Process]:
        """`cnbench fleet run`, which goes on meanwhile."""
        return self.asking("run", *options)

    def node_network(self, *options: str) -> subprocess.CompletedProcess[str]:
        """What `cnbench fleet node-network` gives for ``options``."""
        return _ended(self.asking("node-network", *options))

    def asking(self, command: str, *options: str) -> contextlib.AbstractContextManager[Process]:
        """`cnbench fleet` with that ``command``, which goes on meanwhile."""
        argv = (sys.executable, "-m", "cnbench", "fleet", command, "--scheduler", ADDRESS)
        return _running(self.hub, (*argv, *options), self.folder)


@contextlib.contextmanager
def fleet_in_namespaces(nodes: int, folder: Path) -> Iterator[FleetInNamespaces]:
    """A scheduler that runs, and ``nodes`` namespaces from which it can be reached."""
    with contextlib.ExitStack() as stack:
        hub = stack.enter_context(open_netns("scheduler", {}))
        with hub.netlink() as route:
            route.link("add", ifname=_BRIDGE, kind="bridge")
            route.link("set", index=route.link_lookup(ifname=_BRIDGE)[0], state="up")
        address(hub, _BRIDGE, f"{_SCHEDULER}/24")
        places = [_joined(stack, hub, n) for n in range(nodes)]
        argv = (sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", _SCHEDULER)
        scheduler = stack.enter_context(
            _running(hub, (*argv, "--dashboard-address", "127.0.0.1:0"), folder)
        )
        said_by(scheduler, "Scheduler at")
        yield FleetInNamespaces(hub, places, folder, stack)


def said_by(process: Process, wanted: str) -> str:
    """The line with ``wanted`` that a process says on stderr, which it is waited for.

    Raises:
        SystemExit: it ended without.
    """
    said = []
    for line in process.stderr or ():
        said.append(line)
        if wanted in line:
            return line
    raise SystemExit(f"'{wanted}' was never said, but:\n{''.join(said)}")


def _ended(
    running: contextlib.AbstractContextManager[Process],
) -> subprocess.CompletedProcess[str]:
    with running as process:
        out, error = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, out, error)


def _joined(stack: contextlib.ExitStack, hub: NetworkNamespace, number: int) -> NetworkNamespace:
    node = stack.enter_context(open_netns(f"node{number}", {}))
    join(hub, f"node{number}", node, "eth0")
    with hub.netlink() as route:
        bridge, end = (route.link_lookup(ifname=n)[0] for n in (_BRIDGE, f"node{number}"))
        route.link("set", index=end, master=bridge)
    address(node, "eth0", f"10.77.0.{10 + number}/24")
    return node


@contextlib.contextmanager
def _running(
    place: NetworkNamespace, argv: Sequence[str], folder: Path, **environment: str
) -> Iterator[Process]:
    with place.entered():
        process = subprocess.Popen(
            # So that a test which is killed leaves none of them.
            ["setpriv", "--pdeathsig", "TERM", "--", *argv],
            cwd=folder,
            env=os.environ | {"CNBENCH_RESULTS": str(folder / "runs")} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=_SECONDS_TO_STOP)
        except (subprocess.TimeoutExpired, ValueError):
            process.kill()
            process.wait()
