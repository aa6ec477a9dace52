"""syncloop with a real kubelet, where one is built."""

import dataclasses

import pytest

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.experiments.syncloop import EXPERIMENT

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def subject(shared_lab):
    """A node with one pod that is probed, two more a sample; all tests here share it."""
    point = EXPERIMENT.grid(False, {"pods": (1,), "probe": ("exec",), "at_once": (2,)})[0]
    try:
        EXPERIMENT.require(point, shared_lab)
    except UnsupportedError as error:
        pytest.skip(f"{error}; {error.remedy}")
    with EXPERIMENT.subject(point, shared_lab) as opened:
        yield opened


@pytest.fixture
def fresh(subject):
    """The subject without what it has seen in other tests."""
    return dataclasses.replace(subject, counts=set(), groups=set(), programs=set(), probes=[])


def claims(subject):
    return " ".join(check.claim for check in subject.proof().broken)


def test_a_real_kubelet_runs_a_pod_and_tells_of_its_relists(fresh):
    values = fresh.sample()
    assert fresh.proof().holds, fresh.proof().broken
    assert set(values) == {metric.name for metric in EXPERIMENT.metrics}
    for metric, value in values.items():
        EXPERIMENT.metric(metric).check(value)
    assert values["start"] < values["running"] <= values["last"]
    assert values["relist"] < values["period"]


def test_the_kubelet_changes_nothing_of_the_machine(subject):
    enclave = subject.node.cri.daemon.enclave
    for name, wanted in (("vm/overcommit_memory", "1"), ("kernel/panic", "10")):
        assert enclave.do("read", f"/proc/sys/{name}").strip() == wanted
        mounts = enclave.do("read", "/proc/self/mountinfo")
        assert f" /proc/sys/{name} " in mounts


def test_a_pod_that_was_not_expected_is_no_proof(fresh):
    others = fresh.node.start()
    fresh._idle()
    fresh._stop(others)
    assert "pods by the kubelet" in claims(fresh)


def test_probes_that_nobody_asked_for_or_that_are_missing_are_no_proof(fresh):
    assert "pod was probed" in claims(dataclasses.replace(fresh, probes=[1.0, 0.0]))
    unasked = dataclasses.replace(fresh.node, probed=False)
    assert "none was probed" in claims(dataclasses.replace(fresh, node=unasked, probes=[1.0]))


def test_a_container_of_somebody_else_is_no_proof(fresh):
    pod = fresh.node.pods[0]
    fresh._look(dataclasses.replace(pod, container="another"), pod.told + 1)
    fresh.counts.add((1,) * 4)
    fresh.probes.append(1.0)
    assert "in a group of the kubelet's" in claims(fresh)
    assert "between request and word" in claims(fresh)


def test_relists_that_do_not_reach_the_runtime_are_no_proof(fresh, monkeypatch):
    after = fresh.node.counted()
    silent = [after, dataclasses.replace(after, count=after.count + 2)]
    monkeypatch.setattr(fresh.node, "counted", lambda: silent.pop(0) if silent[1:] else silent[0])
    fresh._idle()
    assert "each relist asked" in claims(fresh)


def test_a_node_that_is_not_ready_is_told_with_its_reason(subject, monkeypatch):
    kubelet = subject.node.kubelet
    monkeypatch.setattr("cnbench.control_plane.servers.kubelet._PATIENCE", 0.0)
    monkeypatch.setattr("cnbench.control_plane.servers.kubelet.NODE", "nobody")
    with pytest.raises(CnbenchError, match="the node is not ready"):
        kubelet.await_ready(subject.node.client)
