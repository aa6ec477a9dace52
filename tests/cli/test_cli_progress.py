import pytest

from cnbench.cli.measure import progress
from cnbench.core.case import Case
from cnbench.measuring.events import GroupStarted, WorkAdvanced

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
    ours = WorkAdvanced(CASE, False, "20,000 of 50,000 chains")
    twins = WorkAdvanced(CASE, True, "nft loads 50,000 services")
    first, second = said(capsys, STARTED, ours, twins).splitlines()
    assert first.endswith("s: mode=nftables: 20,000 of 50,000 chains")
    assert second.endswith("s: mode=nftables (A′): nft loads 50,000 services")


def test_lines_are_seconds_apart(capsys):
    work = [WorkAdvanced(CASE, False, f"{n} of 50 chains") for n in range(50)]
    assert said(capsys, STARTED, *work) == ""
