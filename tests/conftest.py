"""How all tests are run: with the same examples, and as wide, on every machine."""

import os

import pytest
from hypothesis import settings

# Commands would fold their tables to the terminal of who runs the tests.
os.environ.pop("COLUMNS", None)

# No clock, no random seed.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

# Of the real ones, those that build all that they look at: a guest, servers, a fleet in namespaces.
# Nothing that the others find on the machine is theirs, so they may run beside them.
OF_THEIR_OWN = ("behaviours", "control_plane", "fleet", "guest", "history", "profile")


def pytest_collection_modifyitems(items):
    """Have all that looks at the whole machine go one by one: one worker's, beside another's rest.

    For ``--dist loadgroup``; a file of the others is one group, as with ``--dist loadfile``.
    """
    for item in items:
        folder = item.path.parent.name
        group = str(item.path) if folder in OF_THEIR_OWN else "the machine"
        if item.get_closest_marker("real"):
            item.add_marker(pytest.mark.xdist_group(group))
