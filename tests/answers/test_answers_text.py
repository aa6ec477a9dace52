"""Answers and claims as a terminal and a page show them."""

import io
from dataclasses import replace

import made_up
import pytest
from made_up_answers import answer, pair
from rich.console import Console

from cnbench.analysis.answers import claims_of, unmeasured
from cnbench.analysis.answers.answer import find
from cnbench.analysis.answers.cases import Why
from cnbench.analysis.chapters import chapters_of
from cnbench.cli.results.answers_text import print_answers, print_claims, totals


def printed(print_them, what, width):
    out = Console(file=io.StringIO(), width=width, highlight=False)
    print_them(out, what)
    return out.file.getvalue()


@pytest.mark.parametrize("width", [40, 80, 200])
def test_an_answer_is_folded_at_words_and_never_cut(width):
    text = printed(print_answers, [find(answer(), pair())], width)
    assert all(len(line) <= min(width, 100) for line in text.splitlines())
    joined = " ".join(text.split())
    assert joined.startswith("What does b cost? a 1.01 s [1 – 1.02], b 2.02 s [2 – 2.04]")
    assert joined.endswith("(host 6.1, wall clock)")


def test_unpaired_figures_are_marked():
    text = printed(print_answers, [find(answer(), pair(group=1))], 200)
    assert "(host 6.1, wall clock, unpaired)" in " ".join(text.split())


def test_a_claim_has_its_verdict_its_evidence_and_a_command_on_one_line():
    long = replace(answer(), repeat="run made-up -p mode=a,b -p size=" + ",".join("123456789" * 9))
    text = printed(print_claims, [("a costs less", [find(long, pair())])], 80)
    assert "  confirmed: a over b −50 %; a 1.01 s" in text
    assert f"  cnbench {long.repeat}\n" in text


def test_brackets_in_a_reason_are_no_markup():
    claims = [("a costs less", [unmeasured(answer(), Why("b", "no [bold]b[/] here"))])]
    assert "not testable here: b: no [bold]b[/] here" in printed(print_claims, claims, 80)


def test_claims_are_counted_by_verdict():
    found = find(answer(), pair())
    claims = [("one", [found, found]), ("two", [unmeasured(answer(), Why("b"))])]
    assert totals(claims) == "2 claims: 2 confirmed, 1 not testable here"


def test_a_run_of_something_else_can_test_none_and_says_so():
    claims = claims_of(chapters_of([made_up.run(made_up.result([1.0]))]))
    assert {f.verdict.value for _, findings in claims for f in findings} == {"not testable here"}
    assert all(finding.why for _, findings in claims for finding in findings)
