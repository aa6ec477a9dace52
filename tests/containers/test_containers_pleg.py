"""pleg against a real containerd."""

import dataclasses

import pytest
from subjects import subject_at

from cnbench.containers.grpc_client import EXIT
from cnbench.core.errors import CnbenchError
from cnbench.experiments.pleg import EXPERIMENT
from cnbench.experiments.pleg.grid import PERIOD
from cnbench.experiments.pleg.relist import look_closer, relist

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def opened(shared_lab):
    """How to open a subject of two pods, which all tests here share."""

    def open_one(way):
        point = EXPERIMENT.grid(False, {"way": (way,), "pods": (2,)})[0]
        return subject_at(EXPERIMENT, point, shared_lab)

    return open_one


@pytest.mark.parametrize("way", ["evented", "generic"])
def test_a_death_is_learned_either_way(opened, way):
    with opened(way) as subject:
        values = subject.sample()
        assert subject.proof().holds, subject.proof().broken
    for metric, value in values.items():
        EXPERIMENT.metric(metric).check(value)
    assert set(values) == {metric.name for metric in EXPERIMENT.metrics}
    if way == "generic":  # which knows at the next look, not before
        assert values["age"] > values["change"]


def test_kills_are_spread_over_the_whole_period(opened):
    with opened("generic") as subject:
        waited = []
        subject._wait = lambda since, seconds: waited.append(seconds)
        subject._kill = lambda dying: 0
        cri = subject.node.pods.cri
        for _ in range(20):
            last = dataclasses.replace(relist(cri), containers={subject.node.living[0].name: 2})
            subject._by_looking(subject.node.living[0], last)
    assert all(0 <= moment < PERIOD for moment in waited)
    assert {int(moment / PERIOD * 5) for moment in waited} == set(range(5))


def test_a_pod_that_was_not_expected_is_no_proof(opened):
    with opened("evented") as subject:
        other = subject.node.pods.start()
        subject.sample()
        subject.node.pods.stop(other)
        assert "sandboxes" in subject.proof().broken[0].claim


def test_a_death_of_another_cause_is_no_proof(opened, monkeypatch):
    with opened("evented") as subject:
        node, cri = subject.node, subject.node.pods.cri
        ends = {"command": ["/bin/busybox", "sleep", "0.5"]}
        usual = cri.container
        monkeypatch.setattr(cri, "container", lambda *wanted: usual(*wanted) | ends)
        node.replace(node.living[0])
        node.living.reverse()
        monkeypatch.undo()
        subject._kill = lambda dying: subject.lab.clock.ticks()
        subject.sample()
        assert "exit codes" in subject.proof().broken[0].claim


def test_what_runs_is_told_from_what_has_ended(opened):
    with opened("generic") as subject:
        node = subject.node
        seen = relist(node.pods.cri)
        assert (seen.sandboxes, len(seen.containers), seen.running) == (2, 2, 2)
        dying = node.living[0]
        node.pods.cri.daemon.enclave.do("kill", dying.pid)
        node.pods.cri.client.told(EXIT, dying.name, 10)
        while (seen := relist(node.pods.cri)).running == 2:
            pass
        assert look_closer(node.pods.cri, dying.within, dying.name)[0] == 137
        node.replace(dying)
        assert relist(node.pods.cri).running == 2


def test_an_event_that_does_not_come_is_told(opened):
    with (
        opened("evented") as subject,
        pytest.raises(CnbenchError, match="no event /tasks/exit told of nobody"),
    ):
        subject.node.pods.cri.client.told(EXIT, "nobody", 0.1)


def test_a_call_that_the_runtime_refuses_says_why(opened):
    with opened("evented") as subject, pytest.raises(CnbenchError, match="NOT_FOUND"):
        subject.node.pods.cri.call("StartContainer", container_id="nobody")
