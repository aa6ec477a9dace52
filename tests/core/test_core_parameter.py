import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnbench.core.errors import CnbenchError, UsageError
from cnbench.core.parameter import Parameter, Point

PERIOD = Parameter("period", "how often", (0.1,), (0.1,), unit="s", minimum=0.001, maximum=1)
COUNT = Parameter("services", "how many", (1,), (1,), whole=True, minimum=1)
FOLDER = Parameter("trace", "where", ("none",), ("none",), text=True)
MODE = Parameter("mode", "which", ("a",), ("a", "b"), choices=("a", "b"))


@given(st.integers(1_000, 1_000_000))
def test_a_value_is_shown_as_it_is_read(microseconds):
    value = PERIOD.parse(f"{microseconds}us")
    assert PERIOD.parse(PERIOD.show(value)) == value


def test_bounds_are_values_themselves():
    assert PERIOD.parse("1ms") == PERIOD.parse("1000us") == 0.001
    assert PERIOD.parse("1s") == 1


@pytest.mark.parametrize(
    ("parameter", "text", "words"),
    [
        (PERIOD, "2s", "period: 2s is out of range"),
        (PERIOD, "999us", "period: 999us is out of range"),
        (PERIOD, "10 apples", "period: '10 apples'"),
        (COUNT, "1.5", "services: 1.5 is not a whole number"),
        (COUNT, "0", "services: 0 is out of range"),
        (MODE, "c", "mode: 'c' is not one of its values"),
        (FOLDER, "", "trace: '' is not a text of one line"),
        (FOLDER, "  ", "trace: '  ' is not a text of one line"),
        (FOLDER, "a\nb", r"trace: 'a\\nb' is not a text of one line"),
    ],
)
def test_a_bad_value_is_refused_with_the_parameters_name(parameter, text, words):
    with pytest.raises(UsageError, match="^" + words):
        parameter.parse(text)


def test_a_refusal_says_which_values_there_are():
    with pytest.raises(UsageError) as refusal:
        PERIOD.parse("2s")
    assert refusal.value.remedy == "give a value from 1ms to 1s"
    with pytest.raises(UsageError) as refusal:
        MODE.parse("c")
    assert refusal.value.remedy == "choose from a, b"


def test_a_text_is_taken_as_it_is():
    for text in ("../data/a folder", "10", "größer"):
        assert FOLDER.show(FOLDER.parse(text)) == text


@pytest.mark.parametrize("also", [{"choices": ("a",)}, {"unit": "s"}, {"whole": True}])
def test_a_text_is_nothing_else(also):
    with pytest.raises(CnbenchError, match="trace: a text has neither choices nor a unit"):
        Parameter("trace", "where", ("none",), ("none",), text=True, **also)


def test_whole_numbers_are_ints():
    assert isinstance(COUNT.parse("5k"), int)


def test_values_may_follow_from_the_parameters_before():
    threads = Parameter(
        "threads", "", lambda so_far: (so_far["quota"] * 2,), lambda so_far: (1,), whole=True
    )
    assert threads.values(False, {"quota": 3}) == (6,)
    assert threads.values(True, {"quota": 3}) == (1,)


def test_a_point_gives_its_values_as_what_they_are():
    point = Point(mode="ipvs", quota=0.2, threads=2, services=1000.0)
    assert point.text("mode") == "ipvs"
    assert (point.number("quota"), point.number("threads")) == (0.2, 2.0)
    assert (point.whole("threads"), point.whole("services")) == (2, 1000)
    assert isinstance(point | {"quota": 0.5}, Point)
    assert (point | {"quota": 0.5}).number("quota") == 0.5


@pytest.mark.parametrize(
    ("kind", "name"), [("text", "n"), ("number", "m"), ("whole", "m"), ("whole", "q")]
)
def test_a_value_of_another_kind_is_refused_by_name(kind, name):
    point = Point(n=1, m="word", q=0.5)
    with pytest.raises(TypeError, match=name):
        getattr(point, kind)(name)
