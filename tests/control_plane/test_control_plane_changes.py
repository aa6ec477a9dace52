"""Changes to workloads on a real control plane, and the evidence of them against what is not so."""

import json

import pytest

from cnbench.control_plane.api.client import Client
from cnbench.control_plane.binaries import KUBERNETES
from cnbench.control_plane.cluster import NAMESPACE
from cnbench.control_plane.servers.audit import COMPLETE, Line
from cnbench.experiments.reconcile import EXPERIMENT, evidence
from cnbench.experiments.reconcile.evidence import Evidence
from cnbench.experiments.reconcile.grid import nonsense
from cnbench.experiments.reconcile.history import History, apart, fewest_ready, out_of_order


def point(change, **given):
    wanted = {"server": KUBERNETES, "change": change, "replicas": 4, "nodes": 2, "roles": 0} | given
    return EXPERIMENT.grid(False, {name: (value,) for name, value in wanted.items()})[0]


@pytest.fixture
def opened(built, shared_lab):
    """How to open a subject of four pods; all share their cluster."""

    def open_one(change):
        built(KUBERNETES)
        return EXPERIMENT.subject(point(change), shared_lab)

    return open_one


def broken(subject):
    return [check.claim for check in subject.proof().broken]


@pytest.mark.real
@pytest.mark.parametrize(
    "change",
    ["scale", "roll", "statefulset", "statefulset-parallel", "job", "delete", "delete-foreground"],
)
def test_a_change_is_followed_until_it_is_done(opened, change):
    with opened(change) as subject:
        values = subject.sample()
        assert subject.proof().holds, subject.proof().broken
    for metric, value in values.items():
        EXPERIMENT.metric(metric).check(value)
    assert 0 < values["apart"] < values["whole"]


@pytest.mark.real
def test_owners_are_followed_and_another_chain_is_no_proof(opened, monkeypatch):
    with opened("scale") as subject:
        subject.sample()
        assert subject.evidence.chains == {"ReplicaSet, Deployment"}
        monkeypatch.setattr(evidence, "_controller", lambda about: None)
        subject.sample()
        assert broken(subject) == ["owners of the pods"]


@pytest.mark.real
def test_pods_all_at_once_are_not_in_order_and_the_order_of_a_deletion_is_heard(opened):
    with opened("statefulset-parallel") as subject:
        subject.sample()
        subject.evidence.change, subject.evidence.disordered = "statefulset", 1
        assert broken(subject) == ["pods made before the last one was ready"]
    with opened("delete") as subject:
        subject.sample()
        subject.evidence.change = "delete-foreground"
        assert broken(subject) == ["Deployments were there until their pods were gone"]


def line(verb, resource, at, name="", **changes):
    values = {
        "request": f"{resource}-{at}", "stage": COMPLETE, "at": at, "came": at - 1, "verb": verb,
        "resource": resource, "namespace": NAMESPACE, "name": name, "user": "somebody", "code": 200,
    }  # fmt: skip
    return Line(**(values | changes))


def history(*lines):
    made = History()
    made.add(lines)
    return made


ONE_AFTER_ANOTHER = (
    line("create", "pods", 10, "a"), line("patch", "pods/status", 20, "a"),
    line("create", "pods", 30, "b"), line("patch", "pods/status", 40, "b"),
)  # fmt: skip


def test_a_pod_that_did_not_wait_is_heard():
    assert out_of_order(history(*ONE_AFTER_ANOTHER)) == 0
    assert out_of_order(history(*ONE_AFTER_ANOTHER[::2])) == 1
    late = line("patch", "pods/status", 31, "a")
    assert out_of_order(history(ONE_AFTER_ANOTHER[0], late, *ONE_AFTER_ANOTHER[2:])) == 1


def test_deletions_are_counted_once_and_what_was_refused_or_elsewhere_never():
    rolled = history(
        line("create", "pods", 1), line("delete", "pods", 2, "old-1"),
        line("delete", "pods", 3, "old-2"), line("delete", "pods", 4, "old-2"),
        line("create", "pods", 5), line("create", "pods", 6, code=409),
        line("create", "pods", 7, namespace="another"), line("create", "pods", 8, stage="Panic"),
    )  # fmt: skip
    assert apart(rolled.made) == [4]
    assert [one.at for one in rolled.gone] == [2, 3]


def test_a_pod_that_goes_before_the_next_is_ready_is_missed():
    ready, gone = line("patch", "pods/status", 10), line("delete", "pods", 11, "old-1")
    assert fewest_ready(history(ready, gone), 4) == 4
    assert fewest_ready(history(gone, line("patch", "pods/status", 20)), 4) == 3
    assert fewest_ready(history(), 4) == 4


@pytest.mark.parametrize(("fewest", "holds"), [({3, 4}, True), ({2, 4}, False), (set(), False)])
def test_a_rolling_update_lacks_a_quarter_at_most(fewest, holds):
    seen = Evidence("roll", 4, "v1", {"ReplicaSet, Deployment"}, {(4, 4, 4)})
    seen.tellers, seen.scheduled, seen.fewest = {"ReplicaSet"}, {(4, 4)}, fewest
    assert seen.proof().holds == holds


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ("scale", "counts", {(3, 4, 0)}),
        ("scale", "scheduled", {(4, 3)}),
        ("scale", "tellers", {"Job"}),
        ("cronjob", "misnamed", 1),
        ("job", "chains", {"Job", "nobody of ours"}),
    ],
)
def test_what_is_lacking_is_no_proof(change, field, value):
    chain = {"scale": "ReplicaSet, Deployment", "job": "Job", "cronjob": "Job, CronJob"}[change]
    tellers = {one for one in chain.split(", ") if one != "Deployment"}
    seen = Evidence(change, 4, "v1", {chain}, {(4, 4, 0)}, tellers, {(4, 4)})
    assert seen.proof().holds
    setattr(seen, field, value)
    assert len(seen.proof().broken) == 1


@pytest.mark.parametrize(
    ("name", "own"),
    [("web-1606687200", True), ("web-26778120", True), ("web-1606687260", False)],
)
def test_a_job_is_called_as_its_minute(name, own):
    made = line("create", "jobs", 1_606_687_203 * 10**9, name)
    assert evidence._is_named_by_its_minute(made) == own


def test_a_rolling_deployment_needs_room_for_twice_its_pods():
    assert nonsense(point("roll") | {"replicas": 111})
    assert not nonsense(point("roll") | {"replicas": 110})
    assert not nonsense(point("statefulset") | {"replicas": 220})


@pytest.mark.real
def test_lines_end_when_they_are_shut(opened):
    with opened("scale") as subject, subject.cluster.plane.api.client() as api:
        path = f"/api/v1/namespaces/{NAMESPACE}"
        lines = api.lines("/api/v1/namespaces?watch=true")
        assert json.loads(next(lines))["type"] == "ADDED"
        assert isinstance(api, Client)
        api.shut()
        assert [one for one in lines if path in one.decode()] == []
