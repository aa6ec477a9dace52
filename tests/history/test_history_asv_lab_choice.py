"""Which of asv's benchmarks count instructions, and how asv keeps counts and seconds apart."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from cnbench.asv import lab_choice, machine
from cnbench.core.venue import HOST, Venue

KERNEL = SimpleNamespace(release="6.12.107+deb13-cloud-amd64", digest="3c96a5c8fea6")
USERLAND = SimpleNamespace(digest="74815faf0b00")


@pytest.fixture
def suite() -> Any:
    """The module that the benchmark classes share."""
    from cnbench.asv import suite

    return suite


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with QEMU and a built guest."""
    monkeypatch.setattr(lab_choice, "built_kernel", lambda name: KERNEL)
    monkeypatch.setattr(lab_choice, "built_userland", lambda: USERLAND)
    monkeypatch.setattr(lab_choice.commands, "find", lambda tool: "/usr/bin/" + tool)


def a_class(suite: Any, counts: bool) -> Any:
    class Made(suite.Suite):  # type: ignore[misc]
        experiment = "service-routing"
        counted = counts
        axes: ClassVar = {"mode": ("ipvs",), "services": ("1",)}
        track_connect = suite.tracked("service-routing", "connect")

    return Made


@pytest.mark.usefixtures("built")
def test_a_counted_class_has_the_guests_clock_and_a_version_of_its_own(suite: Any) -> None:
    counted, timed = a_class(suite, True), a_class(suite, False)
    assert counted.venue == Venue("guest", "instructions", "trixie")
    assert timed.venue == HOST
    assert counted.track_connect.unit == "instructions"
    assert timed.track_connect.unit == "seconds"
    assert counted.version != timed.version
    assert "--clock instructions" in counted.track_connect.pretty_source
    grid = suite.Grid(suite.experiment_called("service-routing"), counted.axes, {})
    cases = [case for group in grid.groups(counted.venue) for case in group.cases]
    assert {case.where for case in cases} == {("guest", "instructions", "trixie")}


@pytest.mark.usefixtures("built")
def test_the_machines_name_says_what_counts_and_on_which_kernel() -> None:
    name = machine.this_machine()
    assert "counting-instructions-on-6.12.107+deb13-cloud-amd64" in name
    assert "/" not in name


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("missing", ["built_kernel", "built_userland", "qemu"])
def test_without_a_guest_all_is_timed_on_the_host(
    suite: Any, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    if missing == "qemu":
        monkeypatch.setattr(lab_choice.commands, "find", lambda tool: None)
    else:
        monkeypatch.setattr(lab_choice, missing, lambda *_: None)
    assert a_class(suite, True).venue == HOST
    assert "counting" not in machine.this_machine()
