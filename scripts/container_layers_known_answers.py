"""Hold what each layer adds to a container's start against its own time in a traced start.

    .venv/bin/python scripts/container_layers_known_answers.py [BLOCKS]

As root, on a quiet machine with all runtimes of Debian (runc, containerd, docker.io); some minutes.

In every block each way starts one container untraced, and one traced. What a layer adds is the
paired difference of the untraced, as an experiment has it. Its own time is that in which it was the
innermost at work in the traced one: when programs were begun and ended comes from the kernel (the
process connector), and when dockerd and containerd were asked and answered from a relay between
them. What it has the layers below do more is told from the same trace: dockerd asks runc for more
than the bundle. Both together must agree with the difference, within its interval or 10 %; what is
left of that is a column of its own. The gate rings: without its own time, no layer agrees.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from traced.layers import at_work, own_times
from traced.processes import recorded
from traced.relay import Http1, Http2, Relay, open_relay

from cnbench.containers.bundle import Wanted
from cnbench.containers.containerd import open_containerd
from cnbench.containers.containerd_api import ContainerdApi
from cnbench.containers.docker_runtimes import DockerApi, DockerRun
from cnbench.containers.dockerd import open_dockerd
from cnbench.containers.enclave import Enclave, open_enclave
from cnbench.containers.first_process import PROGRAM
from cnbench.containers.grpc_client import open_grpc_client
from cnbench.containers.runtimes import Bare, Ctr, Oci, Runtime, open_files
from cnbench.lab.host import open_lab
from cnbench.stats.intervals import Interval
from cnbench.stats.paired import paired_difference

BLOCKS = 100
_SHARE = 0.1
# Idle before a start, in seconds. A process moves to a group some ms sooner where another has just
# moved, and whoever records one waits for what is still to be told: both begin alike.
_IDLE = 0.2
_TO_CONTAINERD, _TO_DOCKERD = "/run/to-containerd.sock", "/run/to-dockerd.sock"
# Each way with what it is built on, and which of the own times of ``own_times`` is its: that of
# runc's commands, of containerd below its callers, of dockerd below its, of the caller.
RUNC, CONTAINERD, DOCKERD, CALLER = range(4)
STEPS = {
    "runc": ("bare", RUNC), "containerd": ("runc", CONTAINERD), "ctr": ("containerd", CALLER),
    "dockerd": ("containerd", DOCKERD), "docker run": ("dockerd", CALLER),
}  # fmt: skip


@dataclass
class Way:
    """A runtime, and what was seen of its starts.

    Attributes:
        runtime: asked directly.
        relayed: the same through relays.
        took: ns from call to first instruction, of those untraced.
        own: own times, of those traced.
    """

    runtime: Runtime
    relayed: Runtime
    took: list[float] = field(default_factory=list)
    own: list[list[int]] = field(default_factory=list)

    def own_time(self, layer: int) -> float:
        """The median of one layer's own time, in ns."""
        return median(own[layer] for own in self.own)


@dataclass(frozen=True)
class Machine:
    """An enclave, and the relays in it."""

    enclave: Enclave
    containerd: Relay
    dockerd: Relay

    def start(self, runtime: Runtime) -> float:
        """Start and stop a container: ns from the call to its first instruction."""
        time.sleep(_IDLE)
        started = runtime.start()
        first = self.enclave.first_instruction(started.pid)
        runtime.stop(started)
        return float(first - started.began)

    def traced(self, runtime: Runtime) -> list[int]:
        """The same: own times of runc's commands, containerd, dockerd and the caller."""
        with recorded() as lives:
            time.sleep(_IDLE)
            started = runtime.start()
            self.enclave.first_instruction(started.pid)
        answered = lives.heard
        first = lives.begun_last(PROGRAM.rpartition("/")[2])
        runtime.stop(started)
        whole = (started.began, first)
        layers = [at_work(lives.of("runc"), whole)]
        # What is not answered when the start is, waits for the container's end.
        layers += [
            relay.calls(started.began, answered) for relay in (self.containerd, self.dockerd)
        ]
        return own_times(whole, layers)


@contextlib.contextmanager
def opened() -> Iterator[tuple[Machine, dict[str, Way]]]:
    """All ways in one enclave, dockerd on the containerd that the others use."""
    with contextlib.ExitStack() as stack:
        lab = stack.enter_context(open_lab("host", "wall"))
        enclave = stack.enter_context(open_enclave(lab))
        files = stack.enter_context(open_files(enclave))
        daemon = stack.enter_context(open_containerd(enclave))
        outside = enclave.outside
        below = stack.enter_context(
            open_relay(outside(_TO_CONTAINERD), outside(daemon.socket), Http2)
        )
        docker = stack.enter_context(open_dockerd(enclave, _TO_CONTAINERD))
        above = stack.enter_context(open_relay(outside(_TO_DOCKERD), outside(docker.socket), Http1))
        direct = stack.enter_context(open_grpc_client(daemon))
        relayed = stack.enter_context(open_grpc_client(daemon, _TO_CONTAINERD))
        wanted = Wanted()
        docker_relayed = stack.enter_context(docker.reached_by(_TO_DOCKERD))
        daemon_relayed = daemon.reached_by(_TO_CONTAINERD)
        bare, runc = Bare(files, wanted, enclave), Oci(files, wanted, enclave, "runc")
        yield (
            Machine(enclave, below, above),
            {
                "bare": Way(bare, bare),
                "runc": Way(runc, runc),
                "containerd": Way(
                    ContainerdApi(files, wanted, direct), ContainerdApi(files, wanted, relayed)
                ),
                "ctr": Way(Ctr(files, wanted, daemon), Ctr(files, wanted, daemon_relayed)),
                "dockerd": Way(
                    DockerApi(files, wanted, docker), DockerApi(files, wanted, docker_relayed)
                ),
                "docker run": Way(
                    DockerRun(files, wanted, docker), DockerRun(files, wanted, docker_relayed)
                ),
            },
        )


def measure(machine: Machine, ways: dict[str, Way], blocks: int) -> None:
    """Start by every way in every block, untraced and then traced; the first block warms up.

    Both go through the ways in one order, every second time backwards: what a start finds depends
    on the one before it.
    """
    for block in range(-1, blocks):
        order = list(ways.values())[:: 1 if block % 2 else -1]
        took = [machine.start(way.runtime) for way in order]
        own = [machine.traced(way.relayed) for way in order]
        if block < 0:
            continue
        for way, one, parts in zip(order, took, own, strict=True):
            way.took.append(one)
            way.own.append(parts)
        print(f"  block {block + 1} of {blocks}", file=sys.stderr, flush=True)


def agree(added: Interval, explained: Interval) -> bool:
    """Where their intervals meet, or their estimates are within a tenth of the difference."""
    near = abs(explained.estimate - added.estimate) <= _SHARE * added.estimate
    return near or (added.low <= explained.high and explained.low <= added.high)


def own_of(ways: dict[str, Way], name: str) -> float:
    """A way's own time in ns; the kernel's calls are a part of runc's commands."""
    _, layer = STEPS[name]
    return ways[name].own_time(layer) - (ways["bare"].own_time(CALLER) if name == "runc" else 0)


def explained_by(ways: dict[str, Way], name: str) -> Interval:
    """Own time, and by how much those below are longer at work than below what it is built on.

    In ns, block by block. Gaps between a caller's calls are nobody's work.
    """
    base, layer = STEPS[name]
    below = [each for each in (RUNC, CONTAINERD, DOCKERD) if each < layer]
    way, other = ways[name], ways[base]
    if name == "runc":
        return paired_difference([own[CALLER] for own in other.own], [own[RUNC] for own in way.own])
    return paired_difference(
        [sum(own[each] for each in below) for own in other.own],
        [own[layer] + sum(own[each] for each in below) for own in way.own],
    )


def main() -> None:
    """Print the table, and hold it."""
    blocks = int(sys.argv[1]) if len(sys.argv) > 1 else BLOCKS
    with opened() as (machine, ways):
        measure(machine, ways, blocks)
    print(f"  {blocks} blocks; ms        adds, paired            own   more below  unexplained")
    bare = ways["bare"]
    row("bare", paired_difference([0.0] * blocks, bare.took), bare.own_time(CALLER), 0)
    missed = []
    for name, (base, _) in STEPS.items():
        added = paired_difference(ways[base].took, ways[name].took)
        own, explained = own_of(ways, name), explained_by(ways, name)
        row(name, added, own, explained.estimate - own)
        if not agree(added, explained):
            missed.append(name)
        without = [each - own for each in (explained.estimate, explained.low, explained.high)]
        if agree(added, Interval(*without)):
            missed.append(f"{name} without its own time")
    print(f"  {'MISSED: ' + ', '.join(missed) if missed else 'ok'}")
    for name, way in ways.items():
        parts = [way.own_time(layer) / 1e6 for layer in (RUNC, CONTAINERD, DOCKERD, CALLER)]
        print(f"         {name:11} runc {parts[0]:6.1f}  containerd {parts[1]:6.1f}  "
              f"dockerd {parts[2]:6.1f}  caller {parts[3]:6.1f}")  # fmt: skip
    sys.exit(bool(missed))


def row(name: str, added: Interval, own: float, below: float) -> None:
    """Print one layer: what it adds, its own time, what is more below, and what that leaves."""
    adds = f"{added.estimate / 1e6:7.1f} [{added.low / 1e6:6.1f} to {added.high / 1e6:6.1f}]"
    left = added.estimate - own - below
    print(f"  {name:11} {adds:>26} {own / 1e6:9.1f} {below / 1e6:12.1f} {left / 1e6:12.1f}")


if __name__ == "__main__":
    main()
