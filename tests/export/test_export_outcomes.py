"""What a comparison came to, as comments and annotations: golden, and nothing taken for markup."""

import dataclasses
import json
import re

import made_up
import pytest

from cnbench.analysis import outcome
from cnbench.analysis.answers import Finding
from cnbench.analysis.answers import Verdict as OnStatement
from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.comparison import compare_runs
from cnbench.analysis.outcome import outcome_of_runs
from cnbench.core.case import Case
from cnbench.core.run import ExperimentRecord
from cnbench.export.outcomes import FORMATS, format_called

BASE, HEAD = "20260101-000000-aaaa", "20260102-000000-bbbb"


def run(identity, **centres):
    """A case a centre, each known to a thousandth of a per cent."""
    cases = []
    for group, (mode, centre) in enumerate(centres.items()):
        values = [centre * (1 + shift * 1e-5) for shift in (0, 1, -1, 2, -2, 1, -1, 0)]
        cases.append(made_up.result(values, mode, group=group, twin=values[::-1]))
    return made_up.run(*cases, identity=identity)


def compared(a, b, **options):
    return outcome_of_runs(a, b, compare_runs(a, b, margin=None, force=True, **options))


@pytest.fixture
def changed():
    return compared(
        run(BASE, same=1.0, worse=1.0, worst=1.0, better=1.0),
        run(HEAD, same=1.0, worse=1.1, worst=1.2, better=0.5),
    )


def test_what_is_worse_comes_first_by_its_effect(changed):
    modes = [comparison.b.case.params["mode"] for comparison in changed.compared]
    assert modes == ["worst", "worse", "better", "same"]
    assert [row["params"]["mode"] for row in json.loads(shown("json", changed))["rows"]] == modes


def shown(form, found):
    return format_called(form).shown(found)


def _together(figures):
    """Figures in cells, with spaces at which no line is broken."""
    return " | ".join(figure.replace(" ", "\u00a0") for figure in figures.split(" | "))


def test_a_comment_says_what_changed_and_folds_the_rest(changed):
    said = shown("markdown", changed)
    assert said.startswith("<!-- cnbench compare -->\n### cnbench: worse\n")
    assert "cost: 2 worse, 1 better, 1 equivalent; an effect matters from ±2 % on." in said
    before, _, folded = said.partition("<details>")
    assert re.findall(r"^\| mode (\w+) ", before, re.M) == ["worst", "worse", "better"]
    figures = _together("1 s | 1.2 s | +20 % | +20 – +20 %")
    assert f"| mode worst | {figures}\\* | worse |" in before
    assert re.findall(r"^\| mode (\w+) ", folded, re.M) == ["same"]
    assert "Alike in all lines: experiment=made-up size=1" in said
    assert said.count("<details>") == said.count("</details>") == 2


def test_annotations_are_of_what_changed_alone(changed, tmp_path, monkeypatch):
    summary = tmp_path / "summary.md"
    summary.write_text("what another step said\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    lines = shown("github", changed).splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::error", "::notice", "worse"]
    assert lines[0].startswith("::error title=cnbench%3A cost worse::mode worst: +20 %25 [")
    assert summary.read_text().startswith("what another step said\n<!-- cnbench compare -->\n")


def test_of_a_level_ten_are_shown_and_the_rest_are_counted(monkeypatch):
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    modes = [f"m{number}" for number in range(14)]
    found = compared(run(BASE, **dict.fromkeys(modes, 1.0)), run(HEAD, **dict.fromkeys(modes, 2.0)))
    lines = shown("github", found).splitlines()
    assert len(lines) == 11
    assert "5 more like these" in lines[9]


def test_one_case_is_called_by_its_experiment():
    said = shown("markdown", compared(run(BASE, a=1.0), run(HEAD, a=1.5)))
    assert f"| made-up | {_together('1 s | 1.5 s | +50 %')} |" in said


def test_a_parameter_that_differs_is_shown_as_both():
    """Two versions of one file of the user's: what is measured of it is the same case."""

    def of_file(identity, name, services, centre):
        one = made_up.result([centre] * 8, twin=[centre] * 8)
        params = {"cluster": name, "services": services, "mode": "ipvs"}
        case = Case("service-routing", params)
        record = ExperimentRecord("?", "mode", (made_up.COST,), dict.fromkeys(params, ""))
        made = made_up.run(dataclasses.replace(one, case=case), identity=identity)
        request = dataclasses.replace(made.request, inputs={name: "..."})
        return dataclasses.replace(made, experiments={"service-routing": record}, request=request)

    a = of_file(BASE, "mine.yaml@11111111", 20, 1.0)
    b = of_file(HEAD, "mine.yaml@22222222", 46, 1.5)
    said = shown("markdown", compared(a, b))
    assert "services=20 → 46" in said
    assert "worse" in said
    elsewhere = of_file(HEAD, "other.yaml@22222222", 20, 1.5)
    with pytest.raises(Exception, match="no case in common"):
        compared(a, elsewhere)


def statement(verdict, where="host"):
    answer = _ANSWER
    return Finding(answer, where, (), "", verdict, "because")


_ANSWER = Answer("made-up", "?", Cases({}), (), "a costs less than b", (), "run made-up")


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ([OnStatement.CONFIRMED], [OnStatement.REFUTED], 1),
        ([OnStatement.CONFIRMED], [OnStatement.CONFIRMED], 0),
        ([OnStatement.CONFIRMED], [OnStatement.NOT_TESTABLE], 0),
        ([OnStatement.INCONCLUSIVE], [OnStatement.CONFIRMED], 1),
    ],
)
def test_a_claim_is_told_where_its_verdict_changed(monkeypatch, before, after, changes):
    a, b = run(BASE, a=1.0), run(HEAD, a=1.0)
    said = {a.id: before, b.id: after}

    def claims_of(chapters):
        identity = chapters[0].measured[0].run.id
        return [("a costs less than b", [statement(verdict) for verdict in said[identity]])]

    monkeypatch.setattr(outcome, "claims_of", claims_of)
    found = compared(a, b)
    assert len(found.claims) == changes
    markdown, annotations = shown("markdown", found), shown("github", found)
    assert ("Claims that changed" in markdown) == bool(changes)
    assert ("cnbench%3A claim" in annotations) == bool(changes)
    assert len(json.loads(shown("json", found))["claims"]) == changes


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_from_a_run_file_becomes_markup_or_a_command(form, monkeypatch):
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    odd = "<img src=x> @everyone | `x`\n::error::gone\r\n[a](b) <!-- -->"
    found = compared(run(BASE, **{odd: 1.0, "b": 1.0}), run(HEAD, **{odd: 2.0, "b": 1.0}))
    said = shown(form, found)
    if form == "json":
        assert json.loads(said)["rows"][0]["params"]["mode"] == odd
        return
    assert not [line for line in said.splitlines() if line.startswith("::error::gone")]
    if form == "markdown":
        assert not re.search(r"(?<!\\)<(?!/?(details|summary)>|!-- cnbench compare)", said)
        assert "@everyone" not in said
        rows = [line for line in said.splitlines() if line.startswith("| ")]
        assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {7}
