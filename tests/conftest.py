"""How all tests are run: with the same examples, and as wide, on every machine."""

import os

from hypothesis import settings

# Commands would fold their tables to the terminal of who runs the tests.
os.environ.pop("COLUMNS", None)

# No clock, no random seed.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
