"""The grid of copy-up: what a quick and a full run measure, and what they leave out."""

from __future__ import annotations

import pytest

from cnbench.core.errors import UsageError
from cnbench.experiments.copy_up import EXPERIMENT
from cnbench.experiments.copy_up.setting import CopyUpSetting

FEWEST_BLOCKS_BUDGET = 5  # groups of ten seconds each: a quick run is to end within a minute


def test_a_quick_run_is_few_groups_that_share_their_file_systems():
    groups = EXPERIMENT.groups(EXPERIMENT.grid(full=False, given={}))
    assert len(groups) <= FEWEST_BLOCKS_BUDGET
    for group in groups:
        assert {point["filesystem"] for point in group} == {"ext4", "xfs", "btrfs", "tmpfs"}
        assert len({point["size"] for point in group}) == 1


def test_a_full_run_has_every_choice_of_every_parameter():
    points = EXPERIMENT.grid(full=True, given={})
    for parameter in EXPERIMENT.parameters:
        if parameter.choices:
            assert {point[parameter.name] for point in points} == set(parameter.choices)
    assert {point["layers"] for point in points} == {1, 10, 100}
    assert {point["size"] for point in points} >= {0, 2**30}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"filesystem": ("tmpfs",), "cache": ("cold",)}, "never cold"),
        ({"size": (4096,), "content": ("sparse",)}, "block of hole"),
        ({"driver": ("fuse-overlayfs",), "options": ("metacopy",)}, "kernel's overlay"),
        ({"options": ("xino",), "lower": ("same",)}, "lower=other"),
    ],
)
def test_a_point_that_makes_no_sense_is_refused_with_the_reason(given, why):
    with pytest.raises(UsageError, match=why):
        EXPERIMENT.grid(full=False, given=given)


def setting(**changes):
    common = EXPERIMENT.grid(False, {})[0]
    return CopyUpSetting.of(common | changes)


def test_truncating_takes_the_last_block_off():
    assert setting(size=65536, trigger="truncate").final_size == 61440
    assert setting(size=65536, trigger="truncate").final_data == 61440
    assert setting(size=4096, trigger="truncate").final_size == 0
    assert setting(size=65536, trigger="truncate", content="sparse").final_data == 0
    for trigger in ("empty", "open-trunc"):
        assert setting(size=65536, trigger=trigger).final_size == 0
        assert setting(size=65536, trigger=trigger, content="sparse").final_data == 0


def test_metacopy_leaves_data_below_unless_data_changes():
    assert setting(trigger="chmod", options="metacopy").leaves_data
    assert not setting(trigger="open", options="metacopy").leaves_data
    assert not setting(trigger="chmod", options="default").leaves_data
