"""A guest that is traced is the one that is measured otherwise."""

import io
from pathlib import Path

import pytest

from cnbench.core.case import Case, Group
from cnbench.core.venue import Venue
from cnbench.lab.guest.errors import GuestError
from cnbench.measuring.guests import counting, tracing
from cnbench.measuring.plan import Plan

VENUE = Venue("guest", "instructions", "trixie", userland="tools")
GROUP = Group((Case("made-up", {}, "guest", "instructions", "trixie"),), userland="tools")


def test_it_is_built_named_and_booted_with_the_experiments_userland(monkeypatch):
    asked = {}

    def boot(kernel, clock, progress, imports, userland):
        asked["booted"] = userland
        raise GuestError("that is enough")

    monkeypatch.setattr(tracing, "ensure_plugin", lambda: Path("plugin"))
    monkeypatch.setattr(tracing.saved_setups, "find", lambda name: None)
    for name, fake in {
        "ensure_built": lambda kernel, tell, userland="": asked.update(built=userland),
        "digest": lambda kernel, userland="": asked.update(digest=userland) or "digest",
        "setup_name": lambda kernel, imports, key, userland="": asked.update(named=userland) or "",
        "guest": boot,
    }.items():
        monkeypatch.setattr(counting.start, name, fake)
    plan = Plan((GROUP,), seconds=1.0, budget=None, seed=1)
    with pytest.raises(GuestError):
        tracing.trace(plan, VENUE, io.BytesIO(), lambda what: None)
    assert asked == dict.fromkeys(("built", "digest", "named", "booted"), "tools")
