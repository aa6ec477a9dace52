import math

import made_up
import pytest

from cnbench.core.errors import CnbenchError
from cnbench.core.metric import Metric


def test_a_unit_must_be_a_base_unit():
    with pytest.raises(CnbenchError, match="metric rate: the unit 'Gbit/s' is not a base unit"):
        Metric("rate", "Gbit/s", "higher", "ratio", "")


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_a_ratio_metric_has_positive_values_alone(value):
    with pytest.raises(CnbenchError, match="metric cost"):
        made_up.COST.check(value)


def test_an_additive_metric_may_be_zero_or_negative_but_not_infinite():
    assert made_up.ERROR.check(0.0) == 0
    assert made_up.ERROR.check(-0.5) == -0.5
    with pytest.raises(CnbenchError, match="not a finite number"):
        made_up.ERROR.check(-math.inf)


@pytest.mark.parametrize("value", [-0.01, 1.01])
def test_a_share_is_of_one_whole(value):
    share = Metric("throttled", "1", "lower", "additive", "a part", share=True)
    with pytest.raises(CnbenchError, match="from 0 to 1"):
        share.check(value)
    assert [share.check(end) for end in (0.0, 1.0)] == [0.0, 1.0]
    assert share.possible(value) in (0.0, 1.0)
    assert share.possible(-math.inf) == -math.inf


def test_seconds_become_instructions_on_the_instruction_clock():
    assert made_up.COST.unit_on("instructions") == "instructions"
    assert made_up.COST.unit_on("wall") == "s"
    assert made_up.ERROR.unit_on("instructions") == "1"


def test_time_that_passes_by_itself_becomes_virtual_time():
    stall = Metric("stall", "s", "lower", "ratio", "", elapsed=True)
    assert stall.show(0.08) == "80 ms"
    assert stall.show(80e6, "instructions") == "80 virtual ms"


def test_a_signed_error_keeps_its_sign():
    assert made_up.ERROR.show(0.032) == "+3.2 %"
    assert made_up.COST.show(142e-6) == "142 µs"
    assert made_up.COST.show(2000, "instructions") == "2 k instr"


def test_a_floor_beyond_tenfold_is_no_row_of_digits():
    ratio = Metric("cost", "s", "lower", "ratio", "")
    assert ratio.show_floor(0.0425, "s") == "4.25 %"
    assert ratio.show_floor(5.5e39, "s") == "over 1000 %"
    assert Metric("used", "s", "lower", "additive", "").show_floor(2.0, "s") == "2 s"
