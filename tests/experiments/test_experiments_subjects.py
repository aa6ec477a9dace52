"""What the classes that experiments sample may be, found by asking all of them."""

import importlib
import inspect
import pkgutil

import pytest

from cnbench import experiments
from cnbench.core.experiment import Accounts, Captures

# What the sampler looks for in a subject by its name alone, and then calls.
LOOKED_FOR = [
    name
    for protocol in (Accounts, Captures)
    for name, found in vars(protocol).items()
    if inspect.isfunction(found) and not name.startswith("_")
]


def modules():
    for found in pkgutil.walk_packages(experiments.__path__, f"{experiments.__name__}."):
        yield importlib.import_module(found.name)


def subjects():
    return {
        kind
        for module in modules()
        for kind in vars(module).values()
        if inspect.isclass(kind) and hasattr(kind, "sample") and hasattr(kind, "proof")
    }


def clashing(kind):
    """Names that the sampler would call, and that are something else there."""
    fields = {name for base in kind.__mro__ for name in vars(base).get("__annotations__", {})}
    return [name for name in LOOKED_FOR if name in fields]


def test_there_is_something_to_look_for_and_in():
    assert set(LOOKED_FOR) == {"account", "capture"}
    assert len(subjects()) > 20


@pytest.mark.parametrize("kind", sorted(subjects(), key=str), ids=lambda kind: kind.__qualname__)
def test_a_subject_has_nothing_else_of_a_name_that_the_sampler_calls(kind):
    assert clashing(kind) == []


def test_a_field_of_such_a_name_is_seen():
    class Subject:
        account: int

    assert clashing(Subject) == ["account"]
