"""Curves that cliffs are looked for in: how sure each cost is, and what a break points to."""

import math

import pytest

from cnbench.analysis.curves.cliffs import curves_of, reason, sentence
from cnbench.analysis.rows import Row
from cnbench.core.case import Case
from cnbench.core.metric import Metric
from cnbench.core.proof import Proof
from cnbench.core.run import Sample
from cnbench.stats.intervals import Interval
from cnbench.stats.pieces.lines import Break

METRIC = Metric("cost", "s", "lower", "ratio", "made up")
BEND = Break("bend", 5000, 4500, 5500, 4e-9, 33e-9, 0.0, 310)
LESS = Break("bend", 5000, 4500, 5500, 33e-9, 4e-9, 0.0, 310)
JUMP = Break("jump", 100, 64, 128, 4e-9, 4e-9, 1e-6, 310)


def row(size, values, low, high, kernel="", status="ok"):
    case = Case("made-up", {"mode": "a", "size": size}, kernel=kernel)
    median = sorted(values)[len(values) // 2]
    samples = [Sample(block, 0, {"cost": value}, 0.0, 0.0) for block, value in enumerate(values)]
    return Row(case, "6.1.0", METRIC, len(values), samples, Interval(median, low, high), None,
               None, 0, 0, status, "", "", Proof())  # fmt: skip


def noise_of(*rows):
    (curve,) = curves_of(rows, "size", "cost")
    return curve.noise


def test_a_cost_is_as_sure_as_its_interval():
    assert noise_of(row(1, [1.0] * 9, 0.804, 1.196)) == pytest.approx((0.1,))


def test_set_ups_lie_apart_by_more_than_their_blocks_say():
    assert noise_of(row(1, [1.0] * 9, 1.0, 1.0)) == pytest.approx((0.015,))


def test_where_nothing_is_bounded_what_blocks_lie_apart_is_taken():
    assert noise_of(row(1, [1.0, 1.5], -math.inf, math.inf)) == pytest.approx((0.5,))


def test_one_block_tells_little():
    assert noise_of(row(1, [1.0], -math.inf, math.inf)) == pytest.approx((0.1,))


def test_kernels_have_curves_of_their_own_and_what_failed_has_none():
    rows = [
        row(2, [2.0], 2, 2), row(1, [1.0], 1, 1), row(3, [9.0], 9, 9, status="failed"),
        row(1, [5.0], 5, 5, kernel="sid"),
    ]  # fmt: skip
    curves = curves_of(rows, "size", "cost")
    assert [(one.where, one.sizes, one.costs) for one in curves] == [
        (("host", "wall"), (1, 2), (1.0, 2.0)),
        (("host", "wall", "sid"), (1,), (5.0,)),
    ]


def test_a_break_is_told_with_its_place_and_evidence():
    (curve,) = curves_of([row(1, [1.0], 1, 1)], "size", "cost")
    assert sentence(curve, BEND) == (
        "at 5,000 (4,500 to 5,500) size: 4 ns each before, 33 ns each beyond; evidence 310"
    )
    assert "+1 µs at once" in sentence(curve, JUMP)


@pytest.mark.parametrize(
    ("one", "counted", "clock", "word"),
    [
        (BEND, [BEND], "wall", "more is executed"),
        (BEND, [], "wall", "a cache or the TLB"),
        (BEND, [JUMP], "wall", "a cache or the TLB"),
        (BEND, None, "wall", "--why"),
        (BEND, None, "instructions", "a walk"),
        (JUMP, None, "wall", "a limit was reached"),
        (LESS, None, "wall", "costs less"),
    ],
)
def test_what_a_break_points_to_follows_from_its_shape_and_the_instructions(
    one, counted, clock, word
):
    assert word in reason(one, counted, clock)
