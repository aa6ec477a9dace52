"""A Deployment that is made by kubectl, followed until its pods are bound, and deleted."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from cnbench.control_plane.api.client import Client, open_client
from cnbench.control_plane.binaries import binaries_of
from cnbench.control_plane.cluster import Cluster, open_cluster
from cnbench.control_plane.servers.api_server import PORT, URL
from cnbench.control_plane.servers.audit import Line
from cnbench.control_plane.servers.plane import require_plane
from cnbench.core.experiment import Subject
from cnbench.core.parameter import Point
from cnbench.core.proof import Proof, equal, true
from cnbench.experiments.reconcile import asking, deployment
from cnbench.experiments.reconcile.changing import open_changing
from cnbench.experiments.reconcile.grid import CREATE
from cnbench.experiments.reconcile.steps import (
    BINDINGS,
    DEPLOYMENTS,
    PODS,
    REPLICASETS,
    Around,
    created,
    steps,
)
from cnbench.lab.host import Lab
from cnbench.lab.waiting import wait_until

_PROGRAMS = (
    "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl",
)  # fmt: skip
_PATIENCE = 300.0
# What no step has may be this much of the whole.
_REST = 0.02


@dataclass
class Reconciling:
    """One Deployment a sample.

    Attributes:
        rests: of each sample, what no step had, as a share of the whole.
        owners: who owned what, as the objects say.
        creations: of Deployments, ReplicaSets, pods and bindings, in each sample.
    """

    lab: Lab
    cluster: Cluster
    replicas: int
    numbers: Iterator[int]
    rests: list[float] = field(default_factory=list)
    owners: set[str] = field(default_factory=set)
    creations: set[tuple[int, ...]] = field(default_factory=set)

    def sample(self) -> Mapping[str, float]:
        """Make a Deployment, take its steps, and delete it."""
        with self._admin() as admin, self._user() as user:
            return self._sample(admin, user)

    def _admin(self) -> Client:
        """A connection of one who may do everything."""
        return self.cluster.plane.api.client()

    def _user(self) -> Client:
        """A connection of one who may make Deployments."""
        plane = self.cluster.plane
        context = plane.api.context(plane.certificates.client(deployment.USER))
        return open_client(plane.enclave.network, PORT, context)

    def _sample(self, admin: Client, user: Client) -> Mapping[str, float]:
        units, audit = self.lab.clock.units, self.cluster.audit
        name = f"deployment-{next(self.numbers):04}"
        authentication = asking.refused(admin, audit)
        authorization = asking.refused(user, audit) - authentication
        admission = asking.admission(user, admin, f"dry-{name}", self.replicas)
        before = asking.storing(admin)
        audit.skip()
        with self.lab.timed.part():
            started = self._kubectl(name)
            lines = self._follow(name)
        etcd = asking.storing(admin) - before
        took = steps(lines, name, Around(started, authentication, authorization, admission, etcd))
        self._note(admin, lines, name)
        self.rests.append(took["rest"] / took["whole"])
        deletion = self._delete(admin, user, name)
        return {step: units(value) for step, value in took.items()} | {"deletion": units(deletion)}

    def _kubectl(self, name: str) -> int:
        """Have kubectl make the Deployment: when it was started, in ns of CLOCK_REALTIME."""
        plane = self.cluster.plane
        user = plane.certificates.client(deployment.USER)
        # With an empty cache, as in a job of its own.
        home = str(plane.folder / f"home-for-{name}")
        argv = [
            plane.binaries.path("kubectl"), f"--cache-dir={home}",
            f"--kubeconfig={plane.certificates.kubeconfig(URL, user)}", "create", "-f", "-",
        ]  # fmt: skip
        given = deployment.text(name, self.replicas)
        offset = time.time_ns() - time.perf_counter_ns()
        return plane.enclave.run(*argv, environment={"HOME": home}, given=given).began + offset

    def _follow(self, name: str) -> list[Line]:
        """The audit until all pods are bound."""
        lines: list[Line] = []

        def bound() -> bool:
            lines.extend(self.cluster.audit.new_lines())
            return len(created(lines, BINDINGS, name)) >= self.replicas

        wait_until(bound, "pods were not bound", within=_PATIENCE, every=0.005)
        return lines

    def _note(self, admin: Client, lines: Sequence[Line], name: str) -> None:
        """Note how many objects there were, and who owns them."""
        kinds = (DEPLOYMENTS, REPLICASETS, PODS, BINDINGS)
        self.creations.add(tuple(len(created(lines, kind, name)) for kind in kinds))
        of_ours = f"labelSelector=app={name}"
        sets = admin.get(f"{deployment.REPLICASETS}?{of_ours}")["items"]
        pods = admin.get(f"{deployment.PODS}?{of_ours}")["items"]
        named = {one["metadata"]["name"] for one in sets}
        self.owners |= {f"ReplicaSet of {deployment.owner(one, {name})}" for one in sets}
        self.owners |= {f"Pod of {deployment.owner(one, named)}" for one in pods}

    def _delete(self, admin: Client, user: Client, name: str) -> int:
        """Delete the Deployment: ns until nothing is there that it owned."""
        pods = f"{deployment.PODS}?labelSelector=app={name}"
        began = self.lab.clock.ticks()
        user.demand("DELETE", f"{deployment.PATH}/{name}", {"propagationPolicy": "Background"})
        wait_until(
            lambda: not admin.get(pods)["items"], "pods were not deleted", within=_PATIENCE,
            every=0.02,
        )  # fmt: skip
        return self.lab.clock.ticks() - began

    def proof(self) -> Proof:
        """Every object was made once, by its owner, and the steps are the whole."""
        # Some steps are those of other requests: a stall of this one is in none.
        rest = median(self.rests) if self.rests else 1.0
        wanted = (1, 1, self.replicas, self.replicas)
        owners = {"ReplicaSet of the Deployment", "Pod of the ReplicaSet"}
        small = f"the median of the rest is at most {_REST:.0%} of the whole"
        return Proof(
            (
                equal("Deployments, ReplicaSets, pods, bindings created", {wanted}, self.creations),
                equal("owners", sorted(owners), sorted(self.owners)),
                true(small, f"{rest:.2%}", abs(rest) <= _REST),
            )
        )


@contextlib.contextmanager
def open_subject(params: Point, lab: Lab) -> Iterator[Subject]:
    """Deployments or changes of a point, in a cluster that the cases of its group share."""
    key = ("cluster", *(params[name] for name in ("server", "store", "nodes", "pods", "roles")))
    cluster, numbers = lab.fixture(key, lambda: _open_filled(params, lab))
    change, replicas = params.text("change"), params.whole("replicas")
    if change == CREATE:
        yield Reconciling(lab, cluster, replicas, numbers)
        return
    with open_changing(lab, cluster, change, replicas, numbers) as changing:
        yield changing


@contextlib.contextmanager
def _open_filled(params: Point, lab: Lab) -> Iterator[tuple[Cluster, Iterator[int]]]:
    """A cluster with the pods and roles of a point, and the numbers of Deployments to come."""
    nodes, binaries = params.whole("nodes"), binaries_of(params.text("server"))
    with open_cluster(lab, binaries, params.text("store"), nodes) as cluster:
        connect = cluster.plane.api.client
        deployment.grant(connect, params.whole("roles"))
        deployment.add_pods(connect, params.whole("pods"), nodes)
        yield cluster, itertools.count(1)


def require(params: Point, lab: Lab) -> None:
    """Raise UnsupportedError where the servers, or what they need, are not there."""
    require_plane(lab)
    binaries = binaries_of(params.text("server"))
    for program in _PROGRAMS:
        binaries.path(program)
