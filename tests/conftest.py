"""How all tests are run: by two workers, and with the same examples on every machine."""

import os

import pytest
from hypothesis import settings

# A worker is told how wide the terminal is, and commands would fold their tables to that.
os.environ.pop("COLUMNS", None)

# No clock, no random seed.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

# The fixtures that give the command.
_RUNS = {"cnbench", "run_process", "spawn"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Give the machine to one worker (``-n 2 --dist loadgroup``), and each file of logic to one.

    What is real looks at the host before and after, counts processes, and sweeps up what dead runs
    left: two of those at once would find each other. Every run of the command sweeps, too.
    """
    for item in items:
        real = item.get_closest_marker("real") or _RUNS.intersection(item.fixturenames)
        item.add_marker(pytest.mark.xdist_group("the machine" if real else str(item.path)))
