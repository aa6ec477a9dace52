import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnbench.core.errors import UsageError
from cnbench.core.units import (
    COUNT,
    FRACTION,
    format_exact,
    format_quantity,
    format_times,
    parse_quantity,
)

WRITTEN = ("s", "B", "B/s", FRACTION, COUNT)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15)


@pytest.mark.parametrize(
    ("value", "unit", "signed", "shown"),
    [
        (142e-6, "s", False, "142 µs"),
        (9.4e9 / 8, "B/s", False, "9.4 Gbit/s"),
        (0.032, FRACTION, True, "+3.2 %"),
        (-0.032, FRACTION, True, "-3.2 %"),
        (0.0, FRACTION, True, "0 %"),
        (-1e-12, FRACTION, True, "0 %"),
        (1.0, "s", False, "1 s"),
        (0.9996, "s", False, "1 s"),
        (3e-9, "s", False, "3 ns"),
        (12_345.0, "s", False, "12345 s"),
        (2.31375e20, "s", False, "2.31e20 s"),
        (-1.2647e34, "", True, "-1.26e34"),
        (2.0**20, "B", False, "1 MiB"),
        (1536.0, "B", False, "1.5 KiB"),
        (5000.0, COUNT, False, "5000"),
        (1e-9, "s/B", False, "1.02 µs/KiB"),
        (2.5e6, "instructions", False, "2.5 M instr"),
        (math.inf, "s", False, "–"),
        (math.nan, "s", False, "–"),
    ],
)
def test_a_quantity_is_shown_as_people_read_it(value, unit, signed, shown):
    assert format_quantity(value, unit, signed=signed) == shown


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("10ms", "s", 0.01),
        ("100us", "s", 0.0001),
        ("100 µs", "s", 0.0001),
        ("2m", "s", 120),
        ("1MiB", "B", 2**20),
        ("3TiB", "B", 3 * 2**40),
        ("20%", FRACTION, 0.2),
        ("35%", FRACTION, 0.35),
        ("1.5", FRACTION, 1.5),
        ("5k", COUNT, 5000),
        ("9.4Gbit/s", "B/s", 9.4e9 / 8),
        ("1e-400", "s", 0),
    ],
)
def test_a_quantity_is_read_to_the_nearest_float(text, unit, value):
    assert parse_quantity(text, unit) == value


@pytest.mark.parametrize(
    "text", ["", "ms", "1 2", "ten", "nan", "inf", "10 parsecs", "1e400", "--1"]
)
def test_what_is_not_a_quantity_is_refused_in_one_sentence(text):
    with pytest.raises(UsageError) as refusal:
        parse_quantity(text, "s")
    assert repr(text)[1:-1] in str(refusal.value)
    assert "\n" not in str(refusal.value)


@given(NUMBERS, st.sampled_from(WRITTEN))
def test_a_value_shown_exactly_reads_back_equal(value, unit):
    assert parse_quantity(format_exact(value, unit), unit) == value


@given(st.integers(0, 10**6), st.sampled_from(["ns", "us", "ms", "s"]))
def test_all_ways_to_write_a_time_are_one_value(count, symbol):
    power = {"ns": -9, "us": -6, "ms": -3, "s": 0}[symbol]
    assert parse_quantity(f"{count}{symbol}", "s") == float(f"{count}e{power}")


@given(NUMBERS, st.sampled_from([*WRITTEN, "s/B", "instructions", "instructions/B"]), st.booleans())
def test_what_is_shown_is_within_half_of_its_last_digit(value, unit, signed):
    shown = format_quantity(value, unit, signed=signed)
    number = shown.split()[0]
    assert not number.startswith("+") or (signed and value > 0)
    if unit in WRITTEN and abs(value) > 1e-9:
        # Three significant digits, the instructed six decimals at least.
        back = parse_quantity(shown, unit)
        assert math.isclose(back, value, rel_tol=5.1e-3, abs_tol=1e-6)


@pytest.mark.parametrize(
    ("quotient", "shown"),
    [(3.14159, "3.14×"), (166.4, "166×"), (1692.0, "1692×"), (math.inf, "–"), (math.nan, "–")],
)
def test_a_quotient_is_shown_as_a_number_of_times(quotient, shown):
    assert format_times(quotient) == shown
