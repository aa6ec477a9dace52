"""What the proof concludes from what was seen."""

from __future__ import annotations

from cnbench.experiments.copy_up.evidence import CLONED, COPIED, LEFT_BELOW, NOTHING, UpperFile
from cnbench.experiments.copy_up.proof import CopyUp, Observed
from cnbench.experiments.copy_up.setting import CopyUpSetting

MIB = 2**20
METACOPY = "trusted.overlay.metacopy"


def setting(**changes):
    common = {"size": MIB, "content": "data", "filesystem": "ext4", "lower": "same",
              "driver": "overlay", "trigger": "open", "options": "default", "cache": "warm",
              "layers": 1, "depth": 0}  # fmt: skip
    return CopyUpSetting(**(common | changes))


def upper(shared=0, attributes=(), size=MIB, allocated=MIB):
    return UpperFile(size, allocated, shared, tuple(attributes))


def observed(file, written=MIB, untouched=True, **changes):
    everything = Observed(setting(**changes))
    everything.seen.append(CopyUp(file, untouched, "metacopy=off", written))
    everything.controls.add(MIB)
    return everything


def broken(everything):
    return [check.claim for check in everything.checks() if not check.holds]


def test_the_way_follows_from_attributes_and_extents():
    assert upper().way(MIB) == COPIED
    assert upper(shared=MIB).way(MIB) == CLONED
    assert upper(shared=None).way(MIB) == COPIED
    assert upper(attributes=[METACOPY], allocated=0).way(MIB) == LEFT_BELOW
    assert upper(size=0).way(0) == NOTHING


def test_everything_as_it_should_be():
    assert broken(observed(upper())) == []
    assert broken(observed(upper(shared=MIB), written=0)) == []


def test_a_file_that_is_not_in_the_upper_layer_breaks_the_proof():
    assert "files in the upper layer afterwards" in broken(observed(None))


def test_a_changed_lower_file_breaks_the_proof():
    assert broken(observed(upper(), untouched=False)) == ["the lower file is as it was made"]


def test_copied_data_that_was_not_on_the_disk_breaks_the_proof_unless_volatile():
    claim = "copied data was on its device before the call returned"
    assert broken(observed(upper(), written=4096)) == [claim]
    assert broken(observed(upper(), written=4096, options="volatile")) == []


def test_metacopy_must_have_left_the_data_below():
    metacopy = {"trigger": "chmod", "options": "metacopy"}
    assert broken(observed(upper(), **metacopy)) == ["the way of the data"]
    assert broken(observed(upper(attributes=[METACOPY], allocated=0), **metacopy)) == []


def test_no_sample_is_no_proof():
    assert broken(Observed(setting()))
