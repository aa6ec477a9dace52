"""Namespaces of one kind, or all, by one of the calls that make or enter them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any, cast

from cnbench.core.experiment import Subject
from cnbench.core.parameter import Point
from cnbench.core.proof import Proof, equal
from cnbench.experiments.namespaces.first_use import first_use, prepare
from cnbench.experiments.namespaces.grid import kinds_of
from cnbench.experiments.namespaces.proof import Evidence
from cnbench.experiments.namespaces.surroundings import (
    ENTRIES,
    count_mounts,
    fill,
    open_mounts,
    weighed_living,
)
from cnbench.lab import libc
from cnbench.lab.host import Lab
from cnbench.lab.namespaces.children import in_child, in_children
from cnbench.lab.namespaces.company import Company
from cnbench.lab.namespaces.kinds import KINDS, Kind, changed, flags_of, numbers
from cnbench.lab.namespaces.residents import Call, Resident, open_neighbour, open_resident
from cnbench.lab.namespaces.teardown import Watch, open_watch

# A child is a copy that has its pages when it touches them: the way is gone so often beforehand.
_REHEARSALS = 3
# What the kernel takes to take a network namespace down, in the time of the instruction clock.
_TEARDOWN = 0.1
# What workers take to give back what an end has left to them. No tick falls into it, and always an
# end of the scheduler's load averages' periods of 2^20 ns: what both cost would set samples apart.
_AFTERMATH = 0.002
# How many begin and end in a sample. Every some calls the kernel goes on to a slab's next page or a
# new slab, or draws random numbers or entropy anew, for 157 to 8,000 instructions: that only adds,
# so the least of the beginnings counts. An IPC namespace takes from so many slabs that 47 of 100
# beginnings are free of it: of three in a row, none was in 83 of 570; of seven, in 1 of 510. An end
# may be shorter as well, by a load average's period, so of the ends it is the median. Among times
# all that is lost.
_ROUNDS = {"wall": 1, "instructions": 7}
# Kinds that every call can make, and that are gone at once.
_STIRRERS = tuple(kind for kind in KINDS if kind.name in ("uts", "ipc", "mnt"))


def of_rounds(rounds: Sequence[tuple[float, float]]) -> Mapping[str, float]:
    """What counts of the rounds of one sample, each what it took to begin and to end."""
    creates, destroys = zip(*rounds, strict=True)
    return {"create": min(creates), "destroy": median(destroys)}


def _has_network(kinds: Sequence[Kind]) -> bool:
    return any(kind.name == "net" for kind in kinds)


@dataclass
class Cloning:
    """Processes that begin in new namespaces, and end."""

    lab: Lab
    evidence: Evidence
    call: Call
    contents: str
    company: Company
    watch: Watch
    filled: int = 0
    seen_beside: int = 0
    samples: int = 0

    def sample(self) -> Mapping[str, float]:
        """The time of the call, and of the end."""
        rounds = []
        for number in range(_ROUNDS[self.lab.clock.name]):
            rounds.append(self._once())
            self._stir(number)
        return of_rounds(rounds)

    def _stir(self, number: int) -> None:
        """Have the next round find the kernel's slabs in another order than this one did.

        A round gives back what it took, so that the next may go on to the same slab's next page:
        others begin and end between them, in each gap of other kinds.
        """
        if self.lab.clock.name == "instructions" and not _has_network(self.evidence.kinds):
            kinds = [kind for place, kind in enumerate(_STIRRERS) if (number + 1) >> place & 1]
            with open_resident(kinds, self.call, self.lab.clock):
                pass

    def _once(self) -> tuple[float, float]:
        kinds = self.evidence.kinds
        self.lab.clock.settle()
        with open_resident(kinds, self.call, self.lab.clock, company=self.company) as resident:
            self.evidence.changed.add(tuple(changed(numbers(), numbers(resident.pid))))
            self.seen_beside += self.company.seen(resident.pid, kinds)
            if _has_network(kinds):
                self.filled += fill(resident.pid, self.contents, self.lab)
                self.watch.over(resident.pid)
            self.lab.clock.settle()
            gone = self._end(resident)
        self.samples += 1
        units = self.lab.clock.units
        return units(resident.ticks), units(gone)

    def _end(self, resident: Resident) -> int:
        if not _has_network(self.evidence.kinds):
            return resident.end(self.lab.clock, _AFTERMATH)

        def wait_until_taken_down() -> None:
            resident.let_go()
            self.lab.clock.settle(_TEARDOWN)
            resident.wait()
            self.watch.wait()

        with self.lab.clock.going_first():
            return self.lab.clock.timed(wait_until_taken_down)[0]

    def proof(self) -> Proof:
        """They had other numbers, and all of the network namespaces went."""
        each = {"empty": 0, "veth": 1}.get(self.contents, ENTRIES)
        there = self.samples if _has_network(self.evidence.kinds) else 0
        return self.evidence.proof(
            equal("network namespaces seen to go", there, self.watch.gone),
            equal(f"entries in them ({self.contents})", there * each, self.filled),
            equal("others that lived in them", self.samples * self.company.count, self.seen_beside),
        )


@dataclass
class Unsharing:
    """Children that leave their namespaces for new ones."""

    lab: Lab
    evidence: Evidence
    parallel: int
    watch: Watch
    folder: Path
    mount_namespace: int | None = None
    mounts: int = 0
    least_mounts: int | None = None

    def sample(self) -> Mapping[str, float]:
        """The mean time of the calls, and of what is done first."""
        watched = _has_network(self.evidence.kinds)
        said = in_children(
            self._in_child, self.parallel, self.watch.over if watched else lambda pid: None
        )
        self.watch.wait()
        for creator in said:
            self.evidence.changed.add(tuple(creator["changed"]))
        seen = min(creator["mounts"] for creator in said)
        self.least_mounts = min(seen, self.least_mounts or seen)
        units = self.lab.clock.units
        values = {"create": units(fmean(creator["create"] for creator in said))}
        firsts = [creator["first"] for creator in said if "first" in creator]
        return values | ({"first": units(fmean(firsts))} if firsts else {})

    def _in_child(self) -> dict[str, Any]:
        kinds, clock = self.evidence.kinds, self.lab.clock
        if self.mount_namespace is not None:
            libc.setns(self.mount_namespace, libc.CLONE_NEWNS)
        before, flags = numbers(), flags_of(kinds)
        for _ in range(_REHEARSALS):
            clock.timed(lambda: libc.unshare(0))
        clock.settle()
        said: dict[str, Any] = {"create": clock.timed(lambda: libc.unshare(flags))[0]}
        said |= {"changed": changed(before, numbers()), "mounts": count_mounts()}
        if use := first_use(kinds, self.folder):
            prepare(kinds)
            said["first"] = clock.timed(use)[0]
        return said

    def proof(self) -> Proof:
        """They had other numbers, and the mounts that a new mount namespace copies were there."""
        copied = self.mount_namespace is None or (self.least_mounts or 0) >= self.mounts
        return self.evidence.proof(equal("mounts copied", True, copied))


@dataclass
class Entering:
    """Children that enter the namespaces of a process that lives in them."""

    lab: Lab
    evidence: Evidence
    resident: Resident
    by_process: bool
    company: Company

    def sample(self) -> Mapping[str, float]:
        """The time of the calls that enter all of them."""
        said = in_child(self._in_child)
        self.evidence.changed.add(tuple(said["changed"]))
        self.evidence.entered.add(said["entered"])
        return {"enter": self.lab.clock.units(said["enter"])}

    def _in_child(self) -> dict[str, Any]:
        kinds, clock = self.evidence.kinds, self.lab.clock
        targets = [(self.resident.namespace(kind.name), kind.flag) for kind in kinds]
        before, theirs = numbers(), numbers(self.resident.pid)
        if self.by_process:
            targets = [(os.pidfd_open(self.resident.pid), flags_of(kinds))]
        home = os.open("/proc/self/ns/uts", os.O_RDONLY)
        for _ in range(_REHEARSALS):
            clock.timed(lambda: libc.setns(home, 0))

        def enter() -> None:
            for descriptor, flags in targets:
                libc.setns(descriptor, flags)

        clock.settle()
        ticks, _ = clock.timed(enter)
        after = numbers()
        same = all(after.get(kind.link) == theirs[kind.name] for kind in kinds)
        return {"enter": ticks, "changed": changed(before, after), "entered": same}

    def proof(self) -> Proof:
        """The numbers became those of the process, beside which the others still live."""
        beside = self.company.seen(self.resident.pid, self.evidence.kinds)
        return self.evidence.proof(equal("others that live in them", self.company.count, beside))


@dataclass
class AmongOthers:
    """Another subject while namespaces of its kind live."""

    subject: Subject
    living: Sequence[int]
    wanted: int
    memory: float

    def sample(self) -> Mapping[str, float]:
        """What the subject gives, and the memory that one of those that live takes."""
        return {**self.subject.sample(), "memory": self.memory}

    def proof(self) -> Proof:
        """The subject's, and that so many different namespaces live."""
        different = {os.fstat(descriptor).st_ino for descriptor in self.living}
        checks = self.subject.proof().checks
        return Proof((*checks, equal("namespaces that live", self.wanted, len(different))))


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[Subject]:
    """The subject of a point, among as many other namespaces as it asks for."""
    live = params.whole("live")
    with contextlib.ExitStack() as stack:
        kinds = kinds_of(params)
        living, memory = stack.enter_context(weighed_living(kinds, live, lab))
        subject = stack.enter_context(_open_alone(params, lab))
        yield AmongOthers(subject, living, live * len(kinds), memory) if live else subject


@contextlib.contextmanager
def _open_alone(params: Point, lab: Lab) -> Iterator[Subject]:
    kinds, call = kinds_of(params), params.text("call")
    evidence = Evidence(kinds)
    company = Company(params.whole("processes"), params.whole("threads"))
    with contextlib.ExitStack() as stack:
        if call in ("setns", "pidfd"):
            # A process that shares memory with another stays in that one's time namespace.
            resident = stack.enter_context(
                open_resident(kinds, "clone3", lab.clock, shares_memory=False, company=company)
            )
            yield Entering(lab, evidence, resident, call == "pidfd", company)
            return
        home = stack.enter_context(lab.network_namespace("watch"))
        watch = stack.enter_context(open_watch(home))
        if call == "unshare":
            folder, mounts = lab.temporary_folder(), params.whole("mounts")
            held = stack.enter_context(open_mounts(mounts, folder)) if mounts else None
            yield Unsharing(lab, evidence, params.whole("parallel"), watch, folder, held, mounts)
        else:
            stack.enter_context(open_neighbour(lab.clock))
            yield Cloning(lab, evidence, cast(Call, call), params.text("contents"), company, watch)


def require(params: Point, lab: Lab) -> None:
    """Raise UnsupportedError where this user or kernel cannot do it at all."""
    lab.require_namespaces()
    with _open_alone(params | {"mounts": 0, "processes": 0, "threads": 0}, lab) as subject:
        subject.sample()
