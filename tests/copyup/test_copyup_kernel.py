"""copy-up against the real kernel: the way of the data, on each file system."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from cnbench.core.errors import UnsupportedError
from cnbench.core.parameter import Point
from cnbench.experiments.copy_up import EXPERIMENT
from cnbench.experiments.copy_up.plain_copy import timed_copy
from cnbench.experiments.copy_up.stage import make_file
from cnbench.lab.host import Lab, open_lab
from cnbench.lab.storage.filesystems import require_disk

pytestmark = pytest.mark.real

DISKS = ("ext4", "xfs", "btrfs")
SIZE = 256 * 1024


@pytest.fixture
def lab(tmp_path) -> Iterator[Lab]:
    with open_lab("host", "wall", tmp_path / "journal") as lab, lab.fresh_fixtures():
        yield lab


def point(**changes):
    common = {"size": SIZE, "content": "data", "lower": "same", "driver": "overlay",
              "trigger": "open", "options": "default", "cache": "warm", "layers": 1,
              "depth": 0}  # fmt: skip
    return Point(common | changes)


def measured(lab, samples=2, **changes):
    """The proof's observations by claim, after some samples; skips what this machine lacks."""
    params = point(**changes)
    try:
        EXPERIMENT.require(params, lab)
        with EXPERIMENT.subject(params, lab) as subject:
            values = [subject.sample() for _ in range(samples)]
            proof = subject.proof()
    except UnsupportedError as error:
        pytest.skip(f"{error}; {error.remedy}")
    assert proof.holds, proof.broken
    for value in values:
        assert set(value) == {"latency", "overhead", "copy", "again", "written"}
        assert value["overhead"] == pytest.approx(value["latency"] / value["copy"])
    return {check.claim: check.observed for check in proof.checks}


def way(seen):
    return seen["the way of the data"]


@pytest.mark.parametrize(
    ("filesystem", "expected"),
    [("ext4", "copy"), ("xfs", "clone"), ("btrfs", "clone"), ("tmpfs", "copy")],
)
def test_extents_are_cloned_where_the_file_system_can_share_them(lab, filesystem, expected):
    assert way(measured(lab, filesystem=filesystem)) == expected


@pytest.mark.parametrize("filesystem", [*DISKS, "tmpfs"])
def test_data_is_copied_from_another_file_system(lab, filesystem):
    assert way(measured(lab, filesystem=filesystem, lower="other")) == "copy"


@pytest.mark.parametrize("filesystem", [*DISKS, "tmpfs"])
@pytest.mark.parametrize("trigger", ["chmod", "rename", "link", "setxattr"])
def test_metacopy_copies_data_at_the_first_write(lab, filesystem, trigger):
    seen = measured(lab, samples=1, filesystem=filesystem, trigger=trigger, options="metacopy")
    assert way(seen) == "metadata only"
    assert "trusted.overlay.metacopy" in seen["what shows that way"]
    assert seen["the data at the first write"] in ("copy", "clone")


@pytest.mark.parametrize("trigger", ["truncate", "chmod", "rename", "link", "setxattr"])
def test_every_trigger_copies_the_data_up(lab, trigger):
    assert way(measured(lab, filesystem="tmpfs", trigger=trigger)) == "copy"


@pytest.mark.parametrize(("trigger", "copies"), [("empty", True), ("open-trunc", False)])
def test_a_file_is_copied_to_be_truncated_but_not_to_be_opened_with_o_trunc(lab, trigger, copies):
    params = point(filesystem="ext4", trigger=trigger)
    EXPERIMENT.require(params, lab)
    with EXPERIMENT.subject(params, lab) as subject:
        written = subject.sample()["written"]
        proof = subject.proof()
    assert proof.holds, proof.broken
    assert (written >= params["size"]) is copies


@pytest.mark.parametrize("options", ["redirect_dir", "index", "volatile", "userxattr"])
@pytest.mark.parametrize("filesystem", ["ext4", "tmpfs"])
def test_the_kernel_has_the_option_that_was_asked_for(lab, filesystem, options):
    seen = measured(lab, filesystem=filesystem, options=options)
    said = seen["the overlay's options are those asked for, in every sample"]
    assert options in said.replace("=on", "").split(",")


def test_an_option_that_the_kernel_drops_without_a_word_is_unsupported(lab):
    with (
        pytest.raises(UnsupportedError, match="dropped xino=on"),
        EXPERIMENT.subject(point(filesystem="tmpfs", options="xino"), lab) as subject,
    ):
        subject.sample()


@pytest.mark.parametrize("filesystem", DISKS)
def test_a_cold_file_is_read_from_the_disk(lab, filesystem):
    expected = {"ext4": "copy"}.get(filesystem, "clone")
    assert way(measured(lab, filesystem=filesystem, cache="cold", layers=3, depth=2)) == expected


def test_a_hundred_layers_and_many_parents(lab):
    assert way(measured(lab, filesystem="tmpfs", layers=100, depth=16)) == "copy"


@pytest.mark.parametrize("filesystem", [*DISKS, "tmpfs"])
def test_a_hole_is_not_copied(lab, filesystem):
    seen = measured(lab, filesystem=filesystem, content="sparse")
    assert "4 KiB allocated" in seen["what shows that way"]


def test_an_empty_file_has_no_data_to_copy(lab):
    assert way(measured(lab, filesystem="tmpfs", size=0)) == "no data to copy"


@pytest.mark.parametrize("filesystem", ["xfs", "tmpfs"])
def test_fuse_overlayfs(lab, filesystem):
    expected = {"xfs": "clone", "tmpfs": "copy"}[filesystem]
    assert way(measured(lab, filesystem=filesystem, driver="fuse-overlayfs")) == expected


@pytest.mark.parametrize(
    ("content", "size"),
    [("data", 0), ("data", 1), ("data", 4096), ("data", 3 * 2**20 + 5), ("sparse", 3 * 2**20 + 5)],
)
def test_the_plain_copy_is_the_same_file(lab, tmp_path, size, content):
    source, target = tmp_path / "source", tmp_path / "target"
    make_file(source, size, content)
    assert timed_copy(source, target, lab.clock) > 0
    assert target.read_bytes() == source.read_bytes()
    if content == "sparse":
        assert target.stat().st_blocks * 512 < size // 2


def test_the_disk_space_that_is_needed_is_in_the_message(tmp_path):
    with pytest.raises(UnsupportedError, match=r"1024 TiB is needed in .*, where .* are free"):
        require_disk(tmp_path, 2**50)


def test_sparse_images_count_as_what_they_may_grow_to(tmp_path):
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    image = tmp_path / "promised.img"
    image.touch()
    os.truncate(image, free - 2**20)
    with pytest.raises(UnsupportedError):
        require_disk(tmp_path, 2**30)
