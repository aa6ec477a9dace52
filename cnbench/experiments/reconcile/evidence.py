"""What shows that a change was done, by whom it says, and in the order that it says."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cnbench.control_plane.api.client import Client
from cnbench.control_plane.cluster import NAMESPACE
from cnbench.core.errors import CnbenchError
from cnbench.core.proof import Check, Proof, equal, true
from cnbench.experiments.reconcile import deployment, workloads
from cnbench.experiments.reconcile.grid import CRON_JOB, DELETES, FOREGROUND, ORDERED, ROLL
from cnbench.experiments.reconcile.history import History, fewest_ready, out_of_order
from cnbench.lab.waiting import wait_until

_EVENTS = f"/api/v1/namespaces/{NAMESPACE}/events"
# Events are written behind the work that they tell of.
_EVENTS_WITHIN = 10.0
# How many pods a rolling update may lack by default, rounded down (k8s.io/api, apps/v1,
# RollingUpdateDeployment). How many more it may have than asked for is no promise of pods: the
# controller counts what ReplicaSets want, and those that are to go may still be there.
_QUARTER = 4
# A job is called as the second (1.20) or the minute (later) of its schedule.
_UNITS_OF_A_NAME = (1, 60)


@dataclass
class Evidence:
    """Of all samples of one kind of change.

    Attributes:
        change: which.
        replicas: how many pods a workload has.
        version: of the API that CronJobs have.
        chains: who owned the pods, from the nearest on, as the objects say.
        counts: pods that were made, bound and gone, in each sample.
        tellers: the kinds of objects whose events tell that they made something.
        scheduled: pods that were bound, and events that tell of it, in each sample.
        disordered: pods that were made before the one before them was ready.
        fewest: the fewest pods that were ready at a time, in each sample.
        outlived: whether Deployments were there until their pods were gone.
        misnamed: jobs that were not called as the minute of their schedule.
    """

    change: str
    replicas: int
    version: str
    chains: set[str] = field(default_factory=set)
    counts: set[tuple[int, int, int]] = field(default_factory=set)
    tellers: set[str] = field(default_factory=set)
    scheduled: set[tuple[int, int]] = field(default_factory=set)
    disordered: int = 0
    fewest: set[int] = field(default_factory=set)
    outlived: set[bool] = field(default_factory=set)
    misnamed: int = 0

    @property
    def wanted(self) -> tuple[int, int, int]:
        """Pods that are made, bound and gone in a sample."""
        if self.change in DELETES:
            return 0, 0, self.replicas
        return self.replicas, self.replicas, self.replicas if self.change == ROLL else 0

    def note_owners(self, api: Client, name: str) -> None:
        """Follow the owners of the pods of ``name``, as long as they are there."""
        where = workloads.paths(self.version)
        for pod in api.get(f"{deployment.PODS}?labelSelector=app={name}")["items"]:
            self.chains.add(_chain(api, pod, where, name))

    def note(self, api: Client, name: str, history: History) -> None:
        """Keep what a sample leaves behind."""
        self.counts.add(counts(history))
        if self.change in DELETES:
            finalized = history.of("patch", "deployments", name)
            last = history.gone[-1].at
            self.outlived.add(any(line.at > last for line in finalized))
            return
        if self.change == ORDERED:
            self.disordered += out_of_order(history)
        if self.change == ROLL:
            self.fewest.add(fewest_ready(history, self.replicas))
        if self.change == CRON_JOB:
            self.misnamed += not any(map(_is_named_by_its_minute, history.of("create", "jobs")))
        self._note_events(api, name, {line.name for line in history.bound})

    def _note_events(self, api: Client, name: str, bound: set[str]) -> None:
        told: list[str] = []

        def all_told() -> bool:
            found = api.get(f"{_EVENTS}?fieldSelector=reason=Scheduled")["items"]
            told[:] = [one["involvedObject"]["name"] for one in found]
            return bound <= set(told)

        with contextlib.suppress(CnbenchError):  # the proof says what they lack
            wait_until(all_told, "events lack a binding", within=_EVENTS_WITHIN)
        self.scheduled.add((len(bound), sum(one in bound for one in told)))
        made = api.get(f"{_EVENTS}?fieldSelector=reason=SuccessfulCreate")["items"]
        about = [one["involvedObject"] for one in made]
        self.tellers |= {one["kind"] for one in about if f"{one['name']}-".startswith(f"{name}-")}

    def proof(self) -> Proof:
        """Pods were made, bound and deleted as often as asked for, by whom it says, in order."""
        chain = workloads.chain(self.change)
        checks = [
            equal("pods that were made, bound, deleted", {self.wanted}, self.counts),
            equal("owners of the pods", {chain}, self.chains),
        ]
        if self.change not in DELETES:
            told = {(self.replicas, self.replicas)}
            makers = sorted({kind for kind in chain.split(", ") if kind != "Deployment"})
            checks += [
                equal("pods bound, and events that tell of it", told, self.scheduled),
                equal("who tells of what it made", makers, sorted(self.tellers)),
            ]
        return Proof((*checks, *self._order()))

    def _order(self) -> list[Check]:
        if self.change == ORDERED:
            return [equal("pods made before the last one was ready", 0, self.disordered)]
        if self.change == CRON_JOB:
            return [equal("jobs not called as the minute of their schedule", 0, self.misnamed)]
        if self.change in DELETES:
            claim = "Deployments were there until their pods were gone"
            return [equal(claim, {self.change == FOREGROUND}, self.outlived)]
        if self.change != ROLL:
            return []
        least = self.replicas - self.replicas // _QUARTER
        claim = f"at least {least} pods were ready at any time"
        return [true(claim, sorted(self.fewest), min(self.fewest, default=0) >= least)]


def counts(history: History) -> tuple[int, int, int]:
    """Pods that were made, bound and gone."""
    return len(history.made), len(history.bound), len(history.gone)


def _is_named_by_its_minute(job: Any) -> bool:
    number, minute = int(job.name.rpartition("-")[2]), job.at // 60_000_000_000 * 60
    return number in {minute // unit for unit in _UNITS_OF_A_NAME}


def _chain(api: Client, about: Mapping[str, Any], where: Mapping[str, str], name: str) -> str:
    """The kinds of an object's controllers, from the nearest on to the one called ``name``."""
    kinds = []
    while controller := _controller(about):
        kinds.append(controller["kind"])
        about = api.get(f"{where[controller['kind']]}/{controller['name']}")
        if about["metadata"]["uid"] != controller["uid"]:
            return f"{', '.join(kinds)} that is another"
    return ", ".join(kinds) if about["metadata"]["name"] == name else "nobody of ours"


def _controller(about: Mapping[str, Any]) -> Mapping[str, Any] | None:
    references = about["metadata"].get("ownerReferences", ())
    return next((one for one in references if one.get("controller")), None)
