"""namespaces: what does a new namespace cost, of each kind, and all together as in a container?

What is timed is one ``unshare``, in a child of its own so that each begins in the same namespaces.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cnbench.core.errors import UnsupportedError
from cnbench.core.experiment import Experiment
from cnbench.core.metric import Metric
from cnbench.core.parameter import Parameter, Point
from cnbench.core.proof import Proof, equal
from cnbench.lab import libc
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab

# By their links in /proc/PID/ns, as in linux/sched.h; new pid and time ones are for children alone.
_FLAGS = {"cgroup": 1 << 25, "ipc": 1 << 27, "mnt": 1 << 17, "net": 1 << 30, "uts": 1 << 26,
          "pid_for_children": 1 << 29, "time_for_children": 1 << 7, "user": 1 << 28}  # fmt: skip
_KINDS = {link.removesuffix("_for_children"): (link,) for link in _FLAGS} | {"all": tuple(_FLAGS)}


@dataclass
class NamespacesSubject:
    """Children that make the namespaces of one kind, or of all."""

    links: tuple[str, ...]
    clock: Clock
    made: set[tuple[str, ...]] = field(default_factory=set)

    def sample(self) -> Mapping[str, float]:
        """The time of one ``unshare``; raises UnsupportedError where the kernel refuses it."""
        shared = mmap.mmap(-1, mmap.PAGESIZE)
        if (child := os.fork()) == 0:
            try:
                shared.write(json.dumps(self._in_child()).encode())
            except OSError as error:
                os._exit(error.errno or 1)
            finally:
                os._exit(0)
        if refusal := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            raise UnsupportedError(f"unshare: {os.strerror(refusal)}", "use root or --lab guest")
        ticks, changed = json.loads(shared.readline().rstrip(b"\0"))
        self.made.add(tuple(changed))
        return {"create": self.clock.units(ticks)}

    def _in_child(self) -> tuple[int, list[str]]:
        before, flags = _numbers(), sum(_FLAGS[link] for link in self.links)
        libc.unshare(0)  # has the pages there that a child shares until it writes
        ticks, _ = self.clock.timed(lambda: libc.unshare(flags))
        return ticks, sorted({link for link, _ in before ^ _numbers()})

    def proof(self) -> Proof:
        """The kernel numbers namespaces: those that were asked for changed, and no other."""
        return Proof((equal("links to another namespace", {tuple(sorted(self.links))}, self.made),))


def _numbers() -> set[tuple[str, Path]]:
    # A pid namespace has no number before its first process.
    links = [link for link in Path("/proc/self/ns").iterdir() if link.exists()]
    return {(link.name, link.readlink()) for link in links}


@contextlib.contextmanager
def _open_subject(params: Point, lab: Lab) -> Iterator[NamespacesSubject]:
    yield NamespacesSubject(_KINDS[params.text("kind")], lab.clock)


def _require(params: Point, lab: Lab) -> None:
    with _open_subject(params, lab) as subject:
        subject.sample()


EXPERIMENT = Experiment(
    name="namespaces",
    question="What does a new namespace cost, of each kind and all together?",
    parameters=(Parameter("kind", "its kind", tuple(_KINDS), tuple(_KINDS), tuple(_KINDS)),),
    metrics=(Metric("create", "s", "lower", "ratio", "time of the system call that makes them"),),
    variant="kind",
    subject=_open_subject,
    require=_require,
)
