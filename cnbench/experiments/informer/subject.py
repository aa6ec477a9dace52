"""A program with informers, one a sample: it syncs, is told of events, is cut and recovers."""

from __future__ import annotations

import concurrent.futures
import contextlib
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import mean, median

from cnbench.control_plane.api.ledger import Account, Entry, account
from cnbench.control_plane.api.traffic import Traffic
from cnbench.control_plane.binaries import APIEXTENSIONS, binaries_of
from cnbench.control_plane.informers import PROGRAM, Informers, open_informers
from cnbench.control_plane.servers.etcd import MEMORY
from cnbench.control_plane.stock import Stock, open_stock
from cnbench.core.parameter import Point
from cnbench.core.proof import Proof, equal
from cnbench.experiments.informer.grid import METADATA, STREAMED
from cnbench.experiments.list_watch.subject import require_servers
from cnbench.lab.host import Lab
from cnbench.lab.waiting import wait_until

# Events that come one at a time, so that what was read last is what the event came with.
_EVENTS, _APART = 20, 50.0
# Writes amid which connections are cut, in number and in a second.
_AMID, _AFTER, _RATE = 200, 20, 200.0
# client-go waits up to half a minute before it connects again.
_PATIENCE = 120.0


@dataclass
class Informing:
    """Informers of one form.

    Attributes:
        told: how the events differ from what was written, before cuts.
        objects: the numbers of objects that stores had when they were synced.
        lists: how many lists the API server was asked for by then.
        cuts: how many informers were cut.
        equal: how many of them had the server's contents afterwards.
    """

    lab: Lab
    stock: Stock
    form: str
    streamed: bool
    informers: int
    moments: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311
    told: Account = field(default_factory=Account)
    objects: set[int] = field(default_factory=set)
    lists: set[int] = field(default_factory=set)
    cuts: int = 0
    equal: int = 0

    def sample(self) -> Mapping[str, float]:
        """One life of the program."""
        units = self.lab.clock.units
        plane = self.stock.servers()
        with open_informers(plane, self.stock.kind, self.streamed) as program:
            server, lists = plane.api.daemon, self.stock.lists()
            server.forget_peak()
            before = program.daemon.cpu_time()
            with self.lab.timed.part():
                synced = program.start(self.form, self.informers)
            cpu = program.daemon.cpu_time() - before
            peak = server.peak_memory()
            self.lists.add(self.stock.lists() - lists)
            self.objects.add(synced.objects)
            with self.stock.writes(_RATE) as traffic:
                event, queued = self._events(program, traffic)
                recovery = self._cut(program, traffic)
        return {
            "sync": units(mean(synced.took)),
            "memory": (synced.after - synced.before) / synced.objects,
            "event": units(event),
            "queued": units(queued),
            "recovery": units(recovery),
            "cpu": units(cpu / self.informers),
            "peak": peak,
        }

    def _events(self, program: Informers, traffic: Traffic) -> tuple[float, float]:
        """The median time of an event until its handler is called, and until it is queued."""
        written = traffic.write(_EVENTS, _APART)
        self._wait_for(program, written[-1].version)
        times = []
        for number in range(self.informers):
            events = program.take(number)
            self.told += account(map(_without_sequence, written), [one.entry for one in events])
            times += [(one.handled - one.read, one.queued - one.read) for one in events]
        return median(whole for whole, _ in times), median(part for _, part in times)

    def _cut(self, program: Informers, traffic: Traffic) -> float:
        """Cut every informer amid writes: the mean of the ns until it reads an event again."""
        with _cutting(program, self._moments()) as cuts:
            traffic.write(_AMID, _RATE)
        written = traffic.write(_AFTER, _RATE)  # however late the last cut was
        self._wait_for(program, written[-1].version)
        self._compare(program)
        return mean(
            min(one.read for one in program.take(number) if one.read > at) - at
            for number, at in cuts.items()
        )

    def _moments(self) -> list[float]:
        """When to cut each informer, in seconds from the first write."""
        return [self.moments.uniform(0, _AMID / _RATE) for _ in range(self.informers)]

    def _compare(self, program: Informers) -> None:
        contents, _ = self.stock.listed()
        if self.form == METADATA:
            contents = {name: (version, -1) for name, (version, _) in contents.items()}
        self.cuts += self.informers
        self.equal += sum(program.contents(number) == contents for number in range(self.informers))

    def _wait_for(self, program: Informers, version: int) -> None:
        wait_until(
            lambda: min(program.versions()) >= version, "informers did not learn of a write",
            within=_PATIENCE, every=0.005,
        )  # fmt: skip

    def proof(self) -> Proof:
        """Stores had all objects, handlers all events, and the server's contents after cuts."""
        return Proof(
            (
                equal("objects in all stores", {self.stock.count * self.informers}, self.objects),
                equal(
                    "lists that the server was asked for",
                    {0 if self.streamed else self.informers},
                    self.lists,
                ),
                equal("what was written, and what was told of it", Account(), self.told),
                equal(f"equal to the server's after {self.cuts} cuts", self.cuts, self.equal),
            )
        )


@contextlib.contextmanager
def _cutting(program: Informers, moments: Sequence[float]) -> Iterator[dict[int, int]]:
    """Cut each informer at its moment, while something goes on inside: when each was, at the end.

    Raises:
        CnbenchError: one could not be cut.
    """
    cuts: dict[int, int] = {}
    began = time.monotonic()

    def cut_all() -> None:
        for moment, number in sorted(zip(moments, range(len(moments)), strict=True)):
            time.sleep(max(0.0, began + moment - time.monotonic()))
            cuts[number] = program.cut(number)

    with concurrent.futures.ThreadPoolExecutor(1) as beside:
        cutting = beside.submit(cut_all)
        yield cuts
        cutting.result()


def _without_sequence(entry: Entry) -> Entry:
    """As a handler's event tells it, which need not have the object's data."""
    return replace(entry, sequence=0)


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[Informing]:
    """Informers of a point, on servers that the cases of its group share."""
    wanted = params.text("server"), params.whole("objects"), params.whole("size"), MEMORY
    stock = lab.fixture(("stock", *wanted), lambda: open_stock(lab, *wanted))
    streamed = params.text("source") == STREAMED
    yield Informing(lab, stock, params.text("form"), streamed, params.whole("informers"))


def require(params: Point, lab: Lab) -> None:
    """Raise UnsupportedError where the servers, the program, or what they need, are not there."""
    require_servers(params.text("server"), lab)
    binaries_of(APIEXTENSIONS).path(PROGRAM)
