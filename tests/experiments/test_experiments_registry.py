"""Experiments are found by where they are, and none is imported for another."""

import subprocess
import sys

import pytest

from cnbench import experiments
from cnbench.core.errors import UsageError
from cnbench.experiments import registry


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A folder of experiments of the test's own, beside those there are."""
    monkeypatch.setattr(experiments, "__path__", [*experiments.__path__, str(tmp_path)])
    registry.names.cache_clear()
    yield tmp_path
    registry.names.cache_clear()


def make(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")


def test_a_file_a_folder_with_a_grid_and_a_family_are_found(elsewhere):
    for name in (
        "one_file.py", "many_parts/__init__.py", "many_parts/grid.py", "many_parts/subject.py",
        "family/__init__.py", "family/first_one.py", "family/second/__init__.py",
        "family/second/grid.py",
    ):  # fmt: skip
        make(elsewhere / name)
    found = set(registry.names())
    assert {"one-file", "many-parts", "family-first-one", "family-second"} <= found
    assert not {"family", "many-parts-grid", "many-parts-subject", "family-second-grid"} & found
    assert registry.module_of("family-first-one") == "cnbench.experiments.family.first_one"


def test_every_experiment_is_called_as_it_is_found():
    assert {name: one.name for name, one in registry.all_experiments().items()} == {
        name: name for name in registry.names()
    }


def test_the_registry_is_no_experiment():
    assert "registry" not in registry.names()


def test_what_is_not_there_is_told_with_what_is():
    with pytest.raises(UsageError, match="no experiment 'cgroup'") as raised:
        registry.experiment_called("cgroup")
    assert raised.value.remedy


def test_names_are_known_without_importing_an_experiment():
    code = (
        "import sys; from cnbench.experiments.registry import names; names();"
        "print([m for m in sys.modules if m.startswith('cnbench.experiments.')])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "['cnbench.experiments.registry']"
