"""image against a real containerd."""

import pytest
from subjects import subject_at

from cnbench.experiments.image import EXPERIMENT

pytestmark = pytest.mark.real


@pytest.fixture
def opened(shared_lab):
    """How to open a subject whose image has so many layers."""

    def open_one(snapshotter, layers):
        given = {"snapshotter": (snapshotter,), "layers": (layers,)}
        return subject_at(EXPERIMENT, EXPERIMENT.grid(False, given)[0], shared_lab)

    return open_one


@pytest.mark.parametrize("snapshotter", ["overlayfs", "native"])
def test_an_image_is_unpacked_started_and_removed(opened, snapshotter):
    with opened(snapshotter, 3) as subject:
        values = [subject.sample() for _ in range(2)][-1]
        assert subject.proof().holds, subject.proof().broken
    assert set(values) == {metric.name for metric in EXPERIMENT.metrics}
    for metric, value in values.items():
        EXPERIMENT.metric(metric).check(value)
        assert value > 0
    assert values["prepare"] + values["apply"] + values["commit"] < values["unpack"]


def test_copies_take_the_space_of_each_layer_and_mounts_of_what_differs(opened):
    spaces = {}
    for snapshotter in ("overlayfs", "native"):
        for layers in (1, 3):
            with opened(snapshotter, layers) as subject:
                spaces[snapshotter, layers] = subject.sample()["space"]
    # Of the empty files and their folders there are some blocks.
    assert spaces["overlayfs", 3] - spaces["overlayfs", 1] < 2**16
    assert spaces["native", 3] == pytest.approx(3 * spaces["native", 1], rel=0.02)


def test_a_layer_that_was_not_laid_out_is_no_proof(opened):
    with opened("overlayfs", 2) as subject:
        subject.snapshots.layers = subject.snapshots.layers[:1]
        subject.runtime = type(subject.runtime)(
            subject.runtime.files, type(subject.runtime.wanted)(snapshotter="overlayfs"),
            subject.runtime.client,
        )  # fmt: skip
        subject.sample()
        subject.snapshots.layers = [*subject.snapshots.layers] * 2
        told = " ".join(check.claim for check in subject.proof().broken)
    assert "snapshots before" in told
    assert "layers below a root" in told


def test_a_snapshot_that_is_left_is_no_proof(opened):
    with opened("native", 1) as subject:
        subject.snapshots.remove, removes = lambda: 1, subject.snapshots.remove
        subject.sample()
        assert "snapshots before" in subject.proof().broken[0].claim
        removes()
