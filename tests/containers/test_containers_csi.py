"""csi: our driver over its socket."""

import pytest
from subjects import subject_at

from cnbench.core.errors import CnbenchError
from cnbench.experiments.csi import EXPERIMENT

pytestmark = pytest.mark.real


@pytest.fixture
def opened(lab):
    """How to open a subject that uses connections as is said."""

    def open_one(connections, volumes=0):
        given = {"connections": (connections,), "volumes": (volumes,)}
        return subject_at(EXPERIMENT, EXPERIMENT.grid(False, given)[0], lab)

    return open_one


def claims(subject):
    return [check.claim for check in subject.proof().broken]


@pytest.mark.parametrize("connections", ["anew", "kept"])
def test_a_volume_is_published_and_unpublished(opened, connections):
    with opened(connections, 3) as subject:
        values = [subject.sample() for _ in range(2)][-1]
        assert subject.proof().holds, claims(subject)
        assert [subject.driver.mounts(f"there-{number}") for number in range(3)] == [1, 1, 1]
    assert set(values) == {metric.name for metric in EXPERIMENT.metrics}
    for metric, value in values.items():
        EXPERIMENT.metric(metric).check(value)
    assert values["mount"] < values["publish"]
    assert values["unmount"] < values["unpublish"]


def test_connections_of_the_other_kind_are_no_proof(opened):
    with opened("kept") as subject:
        subject.connections = "anew"
        subject.sample()
        assert claims(subject) == ["its connections between samples"]


def test_a_volume_that_stays_mounted_is_no_proof(opened):
    with opened("anew") as subject:
        driver = subject.driver
        subject.sample()
        driver.publish("left")
        subject.seen.add((driver.mounts("left"), driver.contents("left") == "left", 1, True))
        assert any("mounts on the target" in claim for claim in claims(subject))


def test_a_call_more_is_no_proof(opened):
    with opened("kept") as subject:
        publish = subject.driver.publish
        other = type(subject.driver).publish

        def twice(self, name):
            self.client.call("Node.NodeGetCapabilities")
            return other(self, name)

        type(subject.driver).publish = twice
        try:
            subject.sample()
        finally:
            type(subject.driver).publish = other
        assert claims(subject) == ["calls of the driver"]
        assert publish


def test_what_the_driver_cannot_do_is_told_with_its_reason(opened):
    with opened("kept") as subject, pytest.raises(CnbenchError, match=r"INTERNAL.*No such file"):
        subject.driver.unpublish("nobody")
