"""reconcile against a real control plane, and its steps from an audit that is made up."""

import itertools

import pytest

from cnbench.control_plane.binaries import KUBERNETES
from cnbench.control_plane.cluster import NAMESPACE
from cnbench.control_plane.servers.audit import COMPLETE, Audit, Line, nanoseconds
from cnbench.core.errors import CnbenchError
from cnbench.experiments.reconcile import EXPERIMENT
from cnbench.experiments.reconcile.deployment import owner
from cnbench.experiments.reconcile.grid import STEPS, nonsense
from cnbench.experiments.reconcile.steps import Around, created, steps


def point(**given):
    wanted = {"server": KUBERNETES, "replicas": 2, "nodes": 2, "roles": 3} | given
    return EXPERIMENT.grid(False, {name: (value,) for name, value in wanted.items()})[0]


@pytest.fixture
def opened(built, shared_lab):
    """How to open a subject of two pods; those with the same cluster share it."""

    def open_one():
        built(KUBERNETES)
        return EXPERIMENT.subject(point(), shared_lab)

    return open_one


@pytest.mark.real
def test_a_deployment_is_followed_step_by_step(opened):
    with opened() as subject:
        values = [subject.sample() for _ in range(2)][-1]
        proof = subject.proof()
        assert subject.creations == {(1, 1, 2, 2)}
        assert [
            check for check in proof.checks if "rest" not in check.claim and not check.holds
        ] == []
    assert values["whole"] == pytest.approx(sum(values[step] for step in STEPS) + values["rest"])
    assert values["client"] > 0
    assert values["etcd"] > 0
    for metric, value in values.items():
        EXPERIMENT.metric(metric).check(value)


@pytest.mark.real
def test_a_pod_of_another_owner_is_no_proof(opened, monkeypatch):
    with opened() as subject:
        monkeypatch.setattr(
            "cnbench.experiments.reconcile.deployment.owner", lambda about, named: "nobody"
        )
        subject.sample()
        assert "owners" in [check.claim for check in subject.proof().broken]


@pytest.mark.real
def test_a_rest_that_is_too_large_is_no_proof(opened, monkeypatch):
    with opened() as subject:
        moments = itertools.count(0, 10**9)
        monkeypatch.setattr(
            "cnbench.experiments.reconcile.asking.storing", lambda admin: next(moments)
        )
        subject.sample()
        assert "the rest is at most 2%" in subject.proof().broken[-1].claim


def line(resource, at, name="web", **changes):
    values = {
        "request": f"{resource}-{at}", "stage": COMPLETE, "at": at, "came": at - 5,
        "verb": "create", "resource": resource, "namespace": NAMESPACE, "name": name,
        "user": "somebody", "code": 201,
    }  # fmt: skip
    return Line(**(values | changes))


AUDIT = [
    line("deployments", 1000),
    line("replicasets", 1100, "web-1"),
    line("pods", 1250, ""),
    line("pods", 1240, ""),
    line("pods/binding", 1400, "web-1-b"),
    line("pods/binding", 1300, "web-1-a"),
]
AROUND = Around(started=400, authentication=1, authorization=1, admission=1, etcd=1)


def test_steps_and_the_rest_are_the_whole():
    took = steps(AUDIT, "web", AROUND)
    assert took == {
        "whole": 1000, "client": 595, "authentication": 1, "authorization": 1, "admission": 1,
        "etcd": 1, "replicaset": 100, "pods": 150, "scheduling": 150, "rest": 1,
    }  # fmt: skip


@pytest.mark.parametrize("resource", ["deployments", "replicasets", "pods", "pods/binding"])
def test_a_step_that_the_audit_lacks_is_named(resource):
    lines = [one for one in AUDIT if one.resource != resource]
    with pytest.raises(CnbenchError, match=f"no creation of {resource} for web"):
        steps(lines, "web", AROUND)


@pytest.mark.parametrize(
    "other",
    [
        line("replicasets", 2000, "website-1"),
        line("replicasets", 2000, "web-2", code=409),
        line("replicasets", 2000, "web-2", verb="update"),
        line("replicasets", 2000, "web-2", namespace="another"),
        line("replicasets", 2000, "web-2", stage="RequestReceived"),
    ],
    ids=["another's", "refused", "an update", "elsewhere", "not answered"],
)
def test_what_is_not_a_creation_of_ours_is_no_step(other):
    assert created([*AUDIT, other], "replicasets", "web") == [AUDIT[1]]


def test_an_audit_is_read_line_by_line_as_it_grows(tmp_path):
    path = tmp_path / "audit.log"
    audit = Audit(path)
    assert list(audit.new_lines()) == []
    text = (
        '{"auditID":"a","stage":"ResponseComplete","verb":"create","user":{"username":"u"},'
        '"requestReceivedTimestamp":"2026-11-29T08:00:00.000001Z",'
        '"stageTimestamp":"2026-11-29T08:00:01Z","responseStatus":{"code":201},'
        '"objectRef":{"resource":"pods","subresource":"binding","namespace":"n","name":"p"}}\n'
    )
    path.write_text(text + text[:50])
    (found,) = audit.new_lines()
    assert (found.resource, found.code, found.at - found.came) == ("pods/binding", 201, 999_999_000)
    with path.open("a") as file:
        file.write(text[50:])
    assert len(list(audit.new_lines())) == 1
    audit.skip()
    assert list(audit.new_lines()) == []


def test_times_are_read_to_the_microsecond():
    assert nanoseconds("1970-01-01T00:00:01.000002Z") == 1_000_002_000
    assert nanoseconds("1970-01-02T00:00:00Z") == 86_400_000_000_000


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        ([], "nobody"),
        ([{"kind": "ReplicaSet", "name": "web-1"}], "nobody"),
        ([{"kind": "ReplicaSet", "name": "web-1", "controller": True}], "the ReplicaSet"),
        ([{"kind": "ReplicaSet", "name": "other", "controller": True}], "another ReplicaSet"),
    ],
)
def test_an_owner_is_who_controls_an_object(references, expected):
    assert owner({"metadata": {"ownerReferences": references}}, {"web-1"}) == expected


def test_more_pods_than_nodes_have_room_for_make_no_sense():
    assert nonsense(point() | {"pods": 219})
    assert not nonsense(point() | {"pods": 218})
