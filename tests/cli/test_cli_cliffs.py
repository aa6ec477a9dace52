"""``cnbench cliffs`` from end to end, on costs that are known."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cnbench import experiments
from cnbench.cli.measure import cliffs as command
from cnbench.experiments import registry

RANGE = ("-p", "things=1..20000")


@pytest.fixture
def cliffs(cnbench, monkeypatch):
    folder = Path(__file__).parent / "experiment_with_a_cliff"
    monkeypatch.setattr(experiments, "__path__", [*experiments.__path__, str(folder)])
    registry.names.cache_clear()
    yield lambda *argv: cnbench("cliffs", *argv, "--lab", "host", "--budget", "1s")
    sys.modules.pop("cnbench.experiments.with_cliff", None)


def curves(done):
    assert done.code == 0, done.err
    return json.loads(done.out)["curves"]


@pytest.mark.parametrize("place", [2000, 5000, 12_000])
def test_a_break_is_found_with_a_third_of_a_sweeps_points(cliffs, place):
    (curve,) = curves(cliffs("with-cliff", *RANGE, "-p", f"place={place}", "--json"))
    (one,) = curve["breaks"]
    assert one["place"] == pytest.approx(place, rel=0.15)
    assert len(curve["points"]) <= 10


def test_a_straight_cost_has_none_and_takes_no_more_points_than_it_began_with(cliffs):
    (curve,) = curves(cliffs("with-cliff", *RANGE, "-p", "mode=straight", "--json"))
    assert curve["breaks"] == []
    assert len(curve["points"]) == 5


def test_several_curves_are_looked_through_at_once(cliffs):
    found = curves(cliffs("with-cliff", *RANGE, "-p", "mode=bent,straight", "--json"))
    assert {one["params"]["mode"]: len(one["breaks"]) for one in found} == {
        "bent": 1, "straight": 0,
    }  # fmt: skip


def test_it_says_in_words_where_it_leaves_its_line_and_why_it_could(cliffs):
    done = cliffs("with-cliff", *RANGE)
    assert "It leaves its line at 5,0" in done.out
    assert "4 ns each before, 40 ns each beyond" in done.out
    assert "each one costs more from there on" in done.out
    assert "stays on one line" in cliffs("with-cliff", *RANGE, "-p", "mode=straight").out


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (["with-cliff"], "as a range"),
        (["with-cliff", *RANGE, "-p", "place=1..9"], "as a range"),
        (["with-cliff", "-p", "things=100..200"], "too short"),
        (["with-cliff", "-p", "things=1..30000"], "out of range"),
        (["with-cliff", *RANGE, "--metric", "price"], "no metric 'price'"),
        (["with-cliffs", *RANGE], "no experiment"),
    ],
)
def test_what_cannot_be_looked_through_is_refused(cliffs, argv, word):
    cliffs(*argv).failed_in_one_sentence(2, word)


@pytest.mark.parametrize(
    ("counted_mode", "word"), [("bent", "more is executed"), ("straight", "a cache or the TLB")]
)
def test_why_counts_instructions_at_the_same_sizes(cliffs, monkeypatch, counted_mode, word):
    """A guest has no made-up experiment, so what it would count is had from this machine."""
    measured = command._Search.measured
    asked = []

    def on_this_machine(self, sizes):
        if self.request.lab == "host":
            return measured(self, sizes)
        asked.append((self.request.lab, self.request.clock, tuple(sizes)))
        given = {"with-cliff": {"mode": (counted_mode,), "place": (5000,)}}
        here = replace(self.request, lab="host", clock="wall", given=given)
        rows = measured(replace(self, request=here), sizes)
        bent = {**rows[0].case.params, "mode": "bent"}
        return [
            replace(row, case=replace(row.case, params=bent | {"things": size}))
            for row, size in zip(rows, sizes, strict=True)
        ]

    monkeypatch.setattr(command._Search, "measured", on_this_machine)
    done = cliffs("with-cliff", *RANGE, "-p", "mode=bent", "-p", "place=5000", "--why", "--json")
    (curve,) = curves(done)
    assert asked == [("guest", "instructions", tuple(one["size"] for one in curve["points"]))]
    assert word in curve["breaks"][0]["reason"]
