"""Property tests that give the same answer on every machine: no clock, no random seed."""

from hypothesis import settings

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
