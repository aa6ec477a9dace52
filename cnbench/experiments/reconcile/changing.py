"""A change to a workload, followed until controllers and scheduler have done what it takes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median

from cnbench.control_plane.api.client import Client
from cnbench.control_plane.attendant import open_attendant
from cnbench.control_plane.cluster import Cluster
from cnbench.core.errors import CnbenchError
from cnbench.core.proof import Proof
from cnbench.experiments.reconcile import deployment, workloads
from cnbench.experiments.reconcile.evidence import Evidence, counts
from cnbench.experiments.reconcile.grid import (
    CRON_JOB,
    DELETES,
    FOREGROUND,
    JOB,
    ROLL,
    SCALE,
)
from cnbench.experiments.reconcile.history import History, apart
from cnbench.lab.host import Lab
from cnbench.lab.waiting import wait_until

_PATIENCE = 300.0
_MERGE = "application/merge-patch+json"
_MINUTE = 60 * 10**9
# The audit has an answer some time after whoever was answered has acted on it.
_WRITTEN_AFTER = 0.05


@dataclass
class Changing:
    """One change of a kind a sample, to a workload of its own."""

    lab: Lab
    cluster: Cluster
    change: str
    replicas: int
    numbers: Iterator[int]
    evidence: Evidence

    def sample(self) -> Mapping[str, float]:
        """Prepare a workload, change it, and delete it."""
        connect, name = self.cluster.plane.api.client, f"workload-{next(self.numbers):04}"
        with connect() as api, open_attendant(connect, deployment.PODS):
            if self._is_there_before():
                self._make(api, name)
                self._settle(api, name)
                self.evidence.note_owners(api, name)
            self.cluster.audit.skip()
            with self.lab.timed.part():
                began = self._change(api, name)
                history = self._follow(api, name)
            self.evidence.note_owners(api, name)
            self.evidence.note(api, name, history)
            self._tidy(api, name)
        return self._values(history, name, began)

    def proof(self) -> Proof:
        """That the change was done, by whom it says."""
        return self.evidence.proof()

    def _is_there_before(self) -> bool:
        return self.change in (SCALE, ROLL, *DELETES)

    def _collection(self) -> str:
        return workloads.collection(self.change, self.evidence.version)

    def _make(self, api: Client, name: str) -> None:
        api.demand("POST", self._collection(), workloads.body(self.change, name, self.replicas))

    def _settle(self, api: Client, name: str) -> None:
        """Wait until the Deployment says that all of its pods are available."""

        def available() -> bool:
            status = api.get(f"{self._collection()}/{name}")["status"]
            return bool(status.get("availableReplicas") == self.replicas)

        wait_until(available, "pods were not available", within=_PATIENCE, every=0.02)

    def _change(self, api: Client, name: str) -> int:
        """Ask for the change: when, in ns of CLOCK_REALTIME."""
        began, path = time.time_ns(), f"{self._collection()}/{name}"
        if self.change == SCALE:
            wanted = {"spec": {"replicas": 2 * self.replicas}}
            api.demand("PATCH", f"{path}/scale", wanted, content=_MERGE)
        elif self.change == ROLL:
            annotated = {"metadata": {"annotations": {"changed": name}}}
            api.demand("PATCH", path, {"spec": {"template": annotated}}, content=_MERGE)
        elif self.change in DELETES:
            policy = "Foreground" if self.change == FOREGROUND else "Background"
            api.demand("DELETE", path, {"propagationPolicy": policy})
        else:
            self._make(api, name)
        return began

    def _follow(self, api: Client, name: str) -> History:
        """The audit until all was done."""
        history = History()

        def done() -> bool:
            history.add(self.cluster.audit.new_lines())
            return self._is_done(api, name, history)

        wait_until(done, f"the change ({self.change}) was not done", within=_PATIENCE, every=0.005)
        time.sleep(_WRITTEN_AFTER)
        history.add(self.cluster.audit.new_lines())
        return history

    def _is_done(self, api: Client, name: str, history: History) -> bool:
        wanted = zip(counts(history), self.evidence.wanted, strict=True)
        if any(count < least for count, least in wanted):
            return False
        if self.change == JOB:
            return bool(api.get(f"{self._collection()}/{name}")["status"].get("completionTime"))
        return self.change != FOREGROUND or bool(history.of("patch", "deployments", name))

    def _values(self, history: History, name: str, began: int) -> Mapping[str, float]:
        units = self.lab.clock.units
        values = {}
        if self.change == CRON_JOB:
            made = history.of("create", "jobs")[0].at
            began = made // _MINUTE * _MINUTE
            values["lateness"] = units(made - began)
        values["whole"] = units(self._end(history, name) - began)
        if gaps := apart(history.gone if self.change in DELETES else history.made):
            values["apart"] = units(median(gaps))
        return values

    def _end(self, history: History, name: str) -> int:
        """When all was done, by the last answer to who did it."""
        if self.change == JOB:
            last = history.of("update", "jobs/status", name)
        else:
            last = [*history.bound, *history.gone, *history.of("patch", "deployments", name)]
        if not last:
            raise CnbenchError(f"the audit lacks the end of a change ({self.change})")
        return max(line.at for line in last)

    def _tidy(self, api: Client, name: str) -> None:
        """Delete the workload, and wait until its pods are gone."""
        if self.change not in DELETES:
            path = f"{self._collection()}/{name}"
            api.demand("DELETE", path, {"propagationPolicy": "Background"})
        pods = f"{deployment.PODS}?labelSelector=app={name}"
        wait_until(
            lambda: not api.get(pods)["items"], "pods were not deleted", within=_PATIENCE,
            every=0.02,
        )  # fmt: skip


@contextlib.contextmanager
def open_changing(
    lab: Lab, cluster: Cluster, change: str, replicas: int, numbers: Iterator[int]
) -> Iterator[Changing]:
    """Changes of one kind to workloads of so many pods, in a cluster."""
    with cluster.plane.api.client() as api:
        version = workloads.version_of_cron_jobs(api)
    yield Changing(lab, cluster, change, replicas, numbers, Evidence(change, replicas, version))
