"""container-gc against a real containerd."""

import pytest
from subjects import subject_at

from cnbench.experiments.container_gc import EXPERIMENT

pytestmark = pytest.mark.real


@pytest.fixture
def opened(shared_lab):
    """How to open a subject of so many dead pods."""

    def open_one(dead):
        return subject_at(EXPERIMENT, EXPERIMENT.grid(False, {"dead": (dead,)})[0], shared_lab)

    return open_one


def test_dead_containers_their_sandboxes_and_an_image_are_removed(opened):
    with opened(2) as subject:
        values = [subject.sample() for _ in range(2)][-1]
        assert subject.proof().holds, subject.proof().broken
    assert set(values) == {metric.name for metric in EXPERIMENT.metrics}
    for metric, value in values.items():
        EXPERIMENT.metric(metric).check(value)
        assert value > 0


def test_what_was_not_removed_is_no_proof(opened):
    with opened(1) as subject:
        left = subject.pods.start()
        subject.sample()
        assert not subject.proof().holds
        subject.pods.stop(left)
