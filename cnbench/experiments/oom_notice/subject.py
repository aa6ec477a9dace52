"""A limited group in which processes are killed for want of memory, and who is told."""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cnbench.containers.bundle import Wanted
from cnbench.containers.containerd import open_containerd
from cnbench.containers.containerd_api import ContainerdApi
from cnbench.containers.enclave import open_enclave
from cnbench.containers.grpc_client import open_grpc_client
from cnbench.containers.runtimes import open_files
from cnbench.core.parameter import Point
from cnbench.core.proof import Proof, equal
from cnbench.experiments.container_start.grid import CONTAINERD_API
from cnbench.experiments.container_start.subject import require_runtime
from cnbench.experiments.oom_notice.grid import EVENT, LOG
from cnbench.experiments.oom_notice.ways import ByEvent, Way, open_by_group, open_by_log
from cnbench.lab.cgroups import hierarchies
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.cgroups.oom import oom_kills
from cnbench.lab.host import Lab
from cnbench.lab.kernel_log import open_kernel_log
from cnbench.probes.tenants import Tenant, open_tenant

_PAGE = mmap.PAGESIZE
_LIMIT = 8 * 2**20
_LIMIT_FILES = {"v1": "memory.limit_in_bytes", "v2": "memory.max"}
# Seconds for each kill in which the kernel reports in full: ten in five (mm/oom_kill.c, oom_rs).
_A_REPORT, _ALL_REPORTS = 0.55, 5.5


@dataclass
class Killing:
    """So many kills a sample, and when the first was told.

    Attributes:
        group: whose memory runs out.
        way: who is told.
        inside: a process in the group, whose children are killed.
        board: the memory on which they note the time.
        burst: kills a sample.
        before: kills of the group before the first sample.
        killed: kills by the signal of those that died.
    """

    lab: Lab
    group: Cgroup
    way: Way
    inside: Tenant
    board: int
    burst: int
    before: int
    killed: int = field(default=0)

    def sample(self) -> Mapping[str, float]:
        """The time to the first notice, and the share of kills without one."""
        time.sleep(min(_A_REPORT * self.burst, _ALL_REPORTS))
        counts = memoryview(mmap.mmap(self.board, 0)).cast("q")
        self.way.forget()
        with self.lab.timed.part():
            self.inside.start("sacrifice", self.board, 2 * _LIMIT // _PAGE)
            noticed = self.way.wait()
        self._end()
        notice = noticed - counts[1]
        for _ in range(self.burst - 1):
            self.inside.start("sacrifice", self.board, 2 * _LIMIT // _PAGE)
            self._end()
        told = 1 + self.way.more()
        lost = max(0, self.burst - told) / self.burst
        return {"notice": self.lab.clock.units(notice), "lost": lost}

    def _end(self) -> None:
        self.killed += self.inside.finish() == signal.SIGKILL

    def proof(self) -> Proof:
        """The limit is as set, and the kernel counts as many kills as processes died of it."""
        limit = self.group.number(_LIMIT_FILES[self.group.version])
        return Proof(
            (
                equal("limit read back", _LIMIT, limit),
                equal(
                    "processes killed for want of memory",
                    self.killed or "some",
                    oom_kills(self.group) - self.before,
                ),
            )
        )


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[Killing]:
    """A group with a limit, and one who is told; containerd's is that of a container."""
    with contextlib.ExitStack() as stack:
        way: Way
        if params.text("way") == EVENT:
            group, way = stack.enter_context(_of_a_container(lab))
        else:
            group = stack.enter_context(lab.cgroup("memory", params.text("controller")))
            opened: contextlib.AbstractContextManager[Way] = (
                open_by_log(group) if params.text("way") == LOG else open_by_group(group)
            )
            way = stack.enter_context(opened)
        group.write(_LIMIT_FILES[group.version], _LIMIT)
        board = os.memfd_create("cnbench-board")
        stack.callback(os.close, board)
        os.ftruncate(board, _PAGE)
        mmap.mmap(board, 0)[:8] = bytes(8)  # has the page there, charged to nobody of ours
        inside = stack.enter_context(open_tenant(group, pass_fds=[board]))
        burst = params.whole("burst")
        yield Killing(lab, group, way, inside, board, burst, oom_kills(group))


@contextlib.contextmanager
def _of_a_container(lab: Lab) -> Iterator[tuple[Cgroup, ByEvent]]:
    """The memory group of a container, whose kills containerd tells of."""
    with (
        open_enclave(lab) as enclave,
        open_files(enclave) as files,
        open_containerd(enclave) as daemon,
        open_grpc_client(daemon) as client,
    ):
        client.subscribe()
        runtime = ContainerdApi(files, Wanted(), client)
        started = runtime.start()
        hierarchy = hierarchies.require("memory", "v1")
        folders = enclave.groups_of(started.name)
        folder = next(each for each in folders if (each / _LIMIT_FILES["v1"]).exists())
        yield Cgroup(folder, hierarchy), ByEvent(client, started.name)
        runtime.stop(started)


def require(params: Point, lab: Lab) -> None:
    """Raise UnsupportedError where the way, or what it needs, is not there."""
    hierarchies.require("memory", params.text("controller"))
    if params.text("way") == EVENT:
        require_runtime(CONTAINERD_API, lab)
    if params.text("way") == LOG:
        with open_kernel_log("nobody"):
            pass
