import io

import pytest

from cnbench.cli.measure import progress
from cnbench.cli.terminal import SafeConsole
from cnbench.core.case import Case
from cnbench.measuring.events import (
    BlockEnded,
    GroupEnded,
    GroupStarted,
    LabAdvanced,
    WorkAdvanced,
)

CASE = Case("service-routing", {"mode": "nftables", "services": 50_000})
STARTED = GroupStarted(0, "service-routing", {}, 10.0, 8)


def said(capsys, *events):
    with progress.shown_on_stderr(1) as listen:
        for event in events:
            listen(event)
    return capsys.readouterr().err


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0)


def test_long_work_is_told_by_lines_where_there_is_no_terminal(capsys, impatient):
    ours = WorkAdvanced(CASE, False, "20,000 of 50,000 chains", 0)
    twins = WorkAdvanced(CASE, True, "nft loads 50,000 services", 0)
    first, second = said(capsys, STARTED, ours, twins).splitlines()
    assert first.endswith("s: mode=nftables: 20,000 of 50,000 chains")
    assert second.endswith("s: mode=nftables (A′): nft loads 50,000 services")


def test_lines_are_seconds_apart(capsys):
    work = [WorkAdvanced(CASE, False, f"{n} of 50 chains", 0) for n in range(50)]
    assert said(capsys, STARTED, *work) == ""


def at_once():
    """Two groups under way at once, the second of which ends first."""
    one = GroupStarted(4, "service-routing", {"services": 1000}, 10.0, 2, "bookworm")
    other = GroupStarted(5, "service-routing", {"services": 1000}, 10.0, 2, "trixie")
    return [
        one,
        LabAdvanced("importing the measuring code once", 5),
        other,
        BlockEnded(5, 0, 1.0, 0.1),
        WorkAdvanced(CASE, False, "20,000 of 50,000 chains", 4),
        BlockEnded(4, 0, 1.0, 0.1),
        BlockEnded(5, 1, 2.0, 0.1),
        GroupEnded(5),
        BlockEnded(4, 1, 2.0, 0.1),
        GroupEnded(4),
    ]


def test_each_line_says_which_of_several_groups_it_is_about(capsys, impatient):
    lab, work, first, second = said(capsys, *at_once()).splitlines()
    assert lab == "guest: importing the measuring code once"
    title = "[1/1] service-routing services=1000 kernel=bookworm"
    assert work.startswith(f"  {title}: ")
    assert work.endswith("s: mode=nftables: 20,000 of 50,000 chains")
    assert first.startswith("[2/1] service-routing services=1000 kernel=trixie: 2 blocks in ")
    assert second.startswith(f"{title}: 2 blocks in ")


def test_a_bar_has_a_line_for_each_of_several_groups(monkeypatch):
    lines = []

    class Terminal(SafeConsole):
        """A terminal that keeps what a bar would show of each group."""

        def __init__(self, **_):
            super().__init__(force_terminal=True, file=io.StringIO(), width=100)

    monkeypatch.setattr(progress, "SafeConsole", Terminal)
    real = progress.Progress

    class Bar(real):
        def refresh(self):
            lines.append([task.description for task in self.tasks if task.visible])

    monkeypatch.setattr(progress, "Progress", Bar)
    with progress.shown_on_stderr(2) as listen:
        for event in at_once():
            listen(event)
            listen.__self__._bar.refresh()
    both = ["[0/2] 2 guests at once", "  [1/2] mode=nftables: 20,000 of 50,000 chains"]
    assert [*both, "  [2/2] service-routing services=1000 kernel=trixie"] in lines
    assert ["[1/2] service-routing services=1000 kernel=bookworm"] in lines
    assert max(map(len, lines)) == 3


def test_a_group_that_is_tried_once_more_keeps_its_place(capsys):
    again = [STARTED, BlockEnded(0, 3, 1.0, 0.1), STARTED, BlockEnded(0, 0, 1.0, 0.1)]
    (line,) = said(capsys, *again, GroupEnded(0)).splitlines()
    assert line.startswith("[1/1] service-routing: 1 blocks in ")
