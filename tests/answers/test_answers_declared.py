"""The answers that are declared: each is of its experiment, and can be had by its command."""

import shlex
from collections import Counter

import pytest

from cnbench.analysis.answers import SCREENFUL, all_answers
from cnbench.experiments.registry import experiment_called
from cnbench.measuring.plan import parse_given

ANSWERS = all_answers()


def test_there_are_as_many_claims_as_were_promised_and_a_screenful_of_answers():
    assert len({answer.statement for answer in ANSWERS}) >= 18
    assert 12 <= SCREENFUL <= 16
    assert sum(answer.rank > 0 for answer in ANSWERS) >= 12


@pytest.mark.parametrize("name", sorted({answer.experiment for answer in ANSWERS}))
def test_an_experiments_answers_have_places_without_a_gap(name):
    ranks = sorted(each.rank for each in ANSWERS if each.experiment == name and each.rank)
    assert ranks == list(range(1, len(ranks) + 1))


def test_no_two_say_the_same():
    assert max(Counter(answer.statement for answer in ANSWERS).values()) == 1


def points_of(answer):
    """The points that its command measures."""
    run, name, *options = shlex.split(answer.repeat)
    assert run == "run"
    assert set(options[::2]) <= {"-p"}
    experiment = experiment_called(name)
    given = parse_given([experiment], options[1::2])
    return name, experiment.grid(False, given[name])


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.statement)
def test_its_command_measures_every_case_that_it_is_about(answer):
    name, points = points_of(answer)
    assert name == answer.experiment
    for label, chosen in answer.cases.labelled.items():
        wanted = {**answer.cases.params, **chosen}
        assert any(wanted.items() <= point.items() for point in points), (label, wanted)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.statement)
def test_a_run_of_everything_measures_them_too(answer):
    points = experiment_called(answer.experiment).grid(False, {})
    for label, chosen in answer.cases.labelled.items():
        wanted = {**answer.cases.params, **chosen}
        assert any(wanted.items() <= point.items() for point in points), (label, wanted)
