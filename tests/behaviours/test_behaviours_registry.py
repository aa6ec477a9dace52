"""What every behaviour has to say, and where it is."""

import importlib
import pkgutil

import pytest

from cnbench import behaviours
from cnbench.behaviours.registry import all_behaviours, called, subjects
from cnbench.core.errors import UsageError

ALL = all_behaviours()
_MOST_MODULES = 20


def test_there_are_at_least_thirty():
    assert len(ALL) >= 30


def test_a_behaviour_is_called_as_its_file():
    for subject in subjects():
        package = importlib.import_module(subject)
        for module in pkgutil.iter_modules(package.__path__, f"{subject}."):
            found = getattr(importlib.import_module(module.name), "BEHAVIOUR", None)
            if found:
                path = module.name.removeprefix(f"{behaviours.__name__}.").replace("_", "-")
                assert found.name == path


def test_no_folder_has_more_modules_than_one_can_see():
    for package in (behaviours.__name__, *subjects()):
        folder = importlib.import_module(package).__path__
        assert len(list(pkgutil.iter_modules(folder))) <= _MOST_MODULES


@pytest.mark.parametrize("name", ALL)
def test_it_says_what_is_asked_and_why(name):
    found = ALL[name]
    assert found.question.endswith("?")
    for said in (found.method, found.matters, found.source):
        assert said
        assert not said.endswith(".")


@pytest.mark.parametrize("name", ALL)
def test_it_has_a_setting_in_which_it_should_answer_otherwise(name):
    assert ALL[name].controls


def test_one_is_asked_for_by_its_name_or_by_its_subject():
    assert [one.name for one in called(["network.syn-retries"])] == ["network.syn-retries"]
    assert {one.name.partition(".")[0] for one in called(["overlay"])} == {"overlay"}
    assert called([]) == list(ALL.values())


def test_a_name_that_is_none_is_refused_with_those_there_are():
    with pytest.raises(UsageError, match="no behaviour") as refusal:
        called(["network.syn-retry"])
    assert "network.syn-retries" in refusal.value.remedy
