"""The trend of a folder of runs: where it steps, what makes another line, a page that is whole."""

import dataclasses
import json
import random
import re

import made_up
import pytest

from cnbench.analysis.choice import Choice
from cnbench.analysis.trend import trends_of
from cnbench.core.fingerprint import Fingerprint
from cnbench.report.trend import render
from cnbench.store import run_file

GUEST = Fingerprint("guest", "instructions", "6.12.1", {"cpu": "counted"}, {}, {}, "image")


def runs(*costs, fingerprint=GUEST, **changes):
    """A run a cost, each known to a thousandth of a per cent, as counts are."""
    made = []
    for number, cost in enumerate(costs, 1):
        draw = random.Random(number)
        values, twin = ([cost * (1 + draw.gauss(0, 1e-5)) for _ in range(8)] for _ in "ab")
        result = made_up.result(values, twin=twin, **changes)
        where = {"lab": fingerprint.lab, "clock": fingerprint.clock, "kernel": "trixie"}
        result = dataclasses.replace(result, case=dataclasses.replace(result.case, **where))
        identity = f"202601{number:02}-000000-{number:04}"
        run = made_up.run(result, identity=identity, fingerprint=fingerprint)
        made.append(dataclasses.replace(run, started=f"2026-01-{number:02}T00:00:00+00:00"))
    return made


def test_a_step_is_found_where_it_is_and_none_where_there_is_none():
    (level,) = trends_of(runs(*[1000.0] * 10))
    assert level.steps == ()
    (stepping,) = trends_of(runs(*[1000.0] * 6, *[1010.0] * 4))
    (step,) = stepping.steps
    assert stepping.runs[step.index].id == "20260107-000000-0007"
    assert step.effect.estimate == pytest.approx(1.01, rel=1e-4)
    assert stepping.change == pytest.approx(0.01, rel=1e-2)


def test_another_environment_is_another_line():
    newer = dataclasses.replace(GUEST, kernel="6.12.2")
    mixed = [*runs(1000.0, 1000.0), *runs(2000.0, 2000.0, 2000.0, fingerprint=newer)]
    assert sorted(len(trend.runs) for trend in trends_of(mixed)) == [2, 3]
    assert trends_of(runs(1000.0)) == []
    tools = dataclasses.replace(GUEST, tools={"python": "3.14"})  # which is not essential
    assert len(trends_of([*runs(1000.0), *runs(1000.0, fingerprint=tools)])) == 1


def test_what_steps_comes_first_and_what_is_chosen_is_all():
    both = [
        dataclasses.replace(
            a, cases=[*a.cases, *(dataclasses.replace(c, group=1) for c in b.cases)]
        )
        for a, b in zip(runs(*[1.0] * 6), runs(*[1.0] * 3, *[2.0] * 3, mode="b"), strict=True)
    ]
    assert [trend.rows[0].case.params["mode"] for trend in trends_of(both)] == ["b", "a"]
    (alone,) = trends_of(both, Choice(pattern="mode=a"))
    assert alone.rows[0].case.params["mode"] == "a"


def test_the_page_says_all_of_it_and_fetches_nothing():
    page = render(trends_of(runs(*[1000.0] * 6, *[1010.0] * 4)))
    assert "mode=a size=1 guest instructions trixie" in page
    assert "+1 % from 2026-01-07, 20260107-000000-0007" in page
    assert page.count("<circle") == 10
    assert page.count('class="bad"') == 1
    assert 'class="good"' in render(trends_of(runs(*[1010.0] * 4, *[1000.0] * 4)))
    assert not re.search(r"https?:|src=|@import|<script|<link", page)
    assert "No case was measured twice" in render([])


def test_nothing_from_a_run_file_becomes_markup():
    odd = '"><script>alert(1)</script>'
    page = render(trends_of(runs(1.0, 2.0, mode=odd)))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CNBENCH_RESULTS", str(tmp_path / "runs"))
    for run in runs(*[1000.0] * 6, *[1010.0] * 4):
        run_file.write(run, tmp_path / "runs" / f"{run.id}.jsonl")
    (tmp_path / "runs/20260111-000000-dead.jsonl").write_text("{")
    return tmp_path


def test_the_command_writes_the_page_and_replaces_nothing_else(folder):
    from click.testing import CliRunner

    from cnbench.cli.results.trend import command

    with pytest.warns(UserWarning, match="passed over"):
        done = CliRunner().invoke(command, [], catch_exceptions=False)
    assert "1 line of 10 runs, 1 with steps" in done.output
    page = (folder / "reports/trend.html").read_text()
    assert "20260107-000000-0007" in page
    with pytest.warns(UserWarning, match="passed over"):
        again = CliRunner().invoke(command, ["--last", "4", "--json"], catch_exceptions=False)
    (trend,) = json.loads(again.stdout)
    assert [one["run"][:8] for one in trend["runs"]] == ["20260108", "20260109", "20260110"]
    (folder / "mine.html").write_text("mine")
    refused = CliRunner().invoke(command, ["-o", "mine.html"])
    assert "left alone" in str(refused.exception)
    assert (folder / "mine.html").read_text() == "mine"
