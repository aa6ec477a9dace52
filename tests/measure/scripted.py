"""Subjects that do as they are told, in a lab that is none, on a clock that they move."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

import made_up

from cnbench.core.case import Case, Group
from cnbench.core.proof import Proof, equal
from cnbench.lab.clock import Clock
from cnbench.lab.long_work import LongWork
from cnbench.lab.timed import TimedParts
from cnbench.measuring.policy import Policy
from cnbench.measuring.sampler import GroupSampler


def constant(turn):
    return 1.0


@dataclass
class Script:
    """What a subject does; ``fails`` maps a moment to the error it then raises.

    ``denied`` are the accounts, from 0, that deny what was sampled.
    ``later`` is another metric that it gives from its third sample on.
    The moments are set-up, sample 0 (the warm-up), sample 1, ..., proof and take-down.
    """

    value: Callable[[int], float] = constant
    metric: str = "cost"
    later: str = ""
    proof: Proof = made_up.PROVEN
    fails: dict[str, BaseException] = field(default_factory=dict)
    once: set[str] = field(default_factory=set)
    denied: list[int] = field(default_factory=list)

    def metrics(self, turn):
        return [self.metric, *([self.later] if self.later and turn > 1 else [])]

    def reach(self, moment):
        error = self.fails.pop(moment, None) if moment in self.once else self.fails.get(moment)
        if error is not None:
            raise error


@dataclass
class Stage:
    """The lab, the clock, and a diary of everything that happened."""

    scripts: dict[str, Script]
    seconds_a_sample: float = 1.0
    diary: list[str] = field(default_factory=list)
    seconds: float = 0.0
    clock: Clock = field(default_factory=lambda: Clock("wall"))
    opened: dict[str, int] = field(default_factory=dict)
    told: list = field(default_factory=list)
    timed: TimedParts = field(default_factory=TimedParts)
    long_work: LongWork = field(default_factory=LongWork)

    def now(self):
        return self.seconds

    @contextlib.contextmanager
    def fresh_fixtures(self):
        self.diary.append("fixtures")
        try:
            yield
        finally:
            self.diary.append("fixtures gone")

    @contextlib.contextmanager
    def subject(self, params, lab):
        assert lab is self
        mode = str(params["mode"])
        self.opened[mode] = self.opened.get(mode, 0) + 1
        # The second time is A′; a script of its own may say that it does otherwise.
        name = mode + "′" * (self.opened[mode] - 1)
        script = self.scripts.get(name, self.scripts[mode])
        self.diary.append(f"set-up {name}")
        script.reach("set-up")
        try:
            yield Actor(self, name, script)
        finally:
            self.diary.append(f"take-down {name}")
            script.reach("take-down")

    def experiment(self, **changes):
        return made_up.experiment(
            subject=self.subject, metrics=(made_up.COST, made_up.ERROR), **changes
        )

    def group(self, size=1, number=0):
        return Group(
            tuple(Case("made-up", {"mode": mode, "size": size}) for mode in self.modes), number
        )

    @property
    def modes(self):
        return [name for name in self.scripts if not name.endswith("′")]

    def run(self, budget=1e9, **policy):
        policy = Policy(budget=budget, **policy)
        sampler = GroupSampler(self.experiment(), self, policy, self.now)
        return sampler.run(self.group(), self.told.append)


@dataclass
class Actor:
    stage: Stage
    name: str
    script: Script
    samples: int = 0
    accounts: int = 0

    def sample(self):
        number, self.samples = self.samples, self.samples + 1
        self.stage.seconds += self.stage.seconds_a_sample
        self.stage.diary.append(f"sample {self.name}")
        self.script.reach(f"sample {number}")
        return {metric: self.script.value(number) for metric in self.script.metrics(number)}

    def account(self):
        number, self.accounts = self.accounts, self.accounts + 1
        self.stage.diary.append(f"account {self.name}")
        self.script.reach(f"account {number}")
        return number not in self.script.denied

    def proof(self):
        self.stage.diary.append(f"proof {self.name}")
        self.script.reach("proof")
        return self.script.proof


def broken_proof():
    return Proof((equal("probes counted", 200, 199), equal("answered", 1, 1)))
