"""The short form of `make evidence`: intervals keep their promise where machines are not ideal.

Few trials, seeded: bounds are what fewer than one in a thousand seeds would miss if all is right.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from evidence.comparing import counted
from evidence.made import Way
from evidence.models import MODELS, REPEATS_ALIKE
from evidence.series import kinds, sought

SHARED, REPEATED, EARLIER, UNKNOWN = (
    Way(shared=True), Way(repeats=3), Way(earlier=8), Way()
)  # fmt: skip
APART = Way(shared=True, setups=8, alike=False)


@pytest.mark.parametrize(
    ("model", "way"),
    [
        ("independent, 2 %", SHARED),
        ("AR(1) 0.5, own", SHARED),
        ("set-ups 1 % apart", APART),
        ("runs 1 % apart", SHARED),
        ("runs 1 % apart", REPEATED),
        ("runs 1 % apart", EARLIER),
    ],
)
def test_intervals_hold_what_they_promise(model, way):
    counts = counted(MODELS[model], way, 12, 60, seed=7, margin=0.01)
    assert counts.share(counts.held) >= 0.8
    assert counts.share(counts.called) <= 0.15
    assert counts.unknown == 0


def test_what_is_not_known_is_said_and_not_called():
    counts = counted(MODELS["runs 1 % apart"], UNKNOWN, 12, 60, seed=7, margin=0.01)
    assert counts.unknown == 60
    assert counts.share(counts.held) < 0.8  # the interval alone would not do
    assert counts.called <= 4
    one_setup = Way(shared=True, alike=False)
    counts = counted(MODELS["set-ups 1 % apart"], one_setup, 12, 60, seed=7, margin=0.01)
    assert counts.unknown == 60
    assert counts.called <= 4


def test_repeats_that_are_alike_are_no_draws_of_their_own():
    beside = Way(repeats=3, earlier=8, repeated=True)
    counts = counted(REPEATS_ALIKE, beside, 12, 60, seed=7, margin=0.01)
    assert counts.share(counts.held) >= 0.85
    assert counts.share(counts.called) <= 0.1
    # What they alone tell of the spread between runs is not what runs differ by.
    alone = counted(REPEATS_ALIKE, REPEATED, 12, 60, seed=7, margin=0.01)
    assert alone.share(alone.held) < 0.7


def test_sixty_cases_raise_no_alarm_together():
    counts = counted(MODELS["runs 1 % apart"], REPEATED, 6, 6, seed=7, margin=0.001, cases=60)
    assert counts.called <= 2


def test_a_change_is_found():
    shared = counted(MODELS["independent, 2 %"], SHARED, 12, 60, 7, shift=0.0296, margin=0.0)
    assert shared.share(shared.called) >= 0.7
    alarms = counted(MODELS["independent, 2 %"], SHARED, 12, 60, 7, margin=0.0)
    assert alarms.share(alarms.called) <= 0.15
    repeated = counted(MODELS["runs 1 % apart"], REPEATED, 12, 60, 7, shift=0.05, margin=0.0)
    assert repeated.share(repeated.called) >= 0.9


def test_series():
    def of(kind, noise):
        return sought(40, kinds(40)[kind], noise, 20, seed=7, others=False)["cnbench"]

    assert of("no step", 0.0056)[0] <= 0.2
    assert of("AR(1) 0.5", 0.0056)[0] <= 0.3
    assert of("an outlier of 10 %", 0.0056)[0] <= 0.2
    too_many, found = of("a step of 0.2 %", 0.0002)
    assert found == 1.0
    assert too_many <= 0.2
    assert of("0.2 % for two places", 0.0002)[1] == 1.0
    assert of("a step of 1 %", 0.0056)[1] >= 0.5
