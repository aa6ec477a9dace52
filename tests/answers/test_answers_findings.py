"""What made-up runs say to made-up claims: each verdict is given, and none without figures."""

from dataclasses import replace
from types import SimpleNamespace

import made_up
import pytest
from made_up_answers import A, B, answer, pair, picked

from cnbench.analysis import answers
from cnbench.analysis.answers.answer import Verdict, find, overall
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import (
    all_within,
    at_least,
    at_most,
    equal,
    fails,
    less,
    works,
)
from cnbench.analysis.answers.figures import (
    cheapest,
    difference,
    exponent,
    of,
    outcome,
    over_other,
    ratio,
    size_at,
)


def verdict(test, found):
    return test(found).verdict


def test_the_same_test_confirms_refutes_and_abstains():
    below = less("cost", "a", "b")
    assert verdict(below, pair()) is Verdict.CONFIRMED
    assert verdict(below, pair(B, A)) is Verdict.REFUTED
    assert verdict(below, pair(A, [1.0, 1.1, 0.9, 1.2, 0.8, 1.0, 1.05])) is Verdict.INCONCLUSIVE
    assert verdict(below, pair(A[:3], B[:3])) is Verdict.INCONCLUSIVE  # too few for any bound


def test_what_is_missing_is_named_with_its_reason():
    unsupported = made_up.result(
        [], "b", status="unsupported", reason="no b here", proof=made_up.Proof()
    )
    tested = less("cost", "a", "b")(picked(made_up.result(A), unsupported))
    assert tested.verdict is Verdict.NOT_TESTABLE
    assert tested.why == "b: no b here"
    assert less("cost", "a", "b")(picked(made_up.result(A))).why == "b: not measured in this run"


def test_tests_of_bounds_and_of_equality_ring_on_either_side():
    assert verdict(at_least(of("cost", "b"), 1.5, "b"), pair()) is Verdict.CONFIRMED
    assert verdict(at_least(of("cost", "a"), 1.5, "a"), pair()) is Verdict.REFUTED
    assert verdict(at_most(ratio("cost", "b", "a"), 1.5, "b", "a"), pair()) is Verdict.REFUTED
    assert verdict(equal("cost", "a", "b", 0.02), pair(A, A)) is Verdict.CONFIRMED
    assert verdict(equal("cost", "a", "b", 0.02), pair(A, B)) is Verdict.REFUTED
    assert verdict(equal("cost", "a", "b", 0.02), pair(B, A)) is Verdict.REFUTED
    assert verdict(all_within("cost", 0.5, 1.5), pair(A, A)) is Verdict.CONFIRMED
    assert verdict(all_within("cost", 0.5, 1.5), pair(A, B)) is Verdict.REFUTED


def test_one_refuted_test_refutes_a_claim_and_a_missing_one_leaves_it_open():
    confirmed, refuted, missing = Verdict.CONFIRMED, Verdict.REFUTED, Verdict.NOT_TESTABLE
    assert overall([confirmed, refuted, missing]) is refuted
    assert overall([confirmed, missing]) is missing
    assert overall([confirmed, Verdict.INCONCLUSIVE]) is Verdict.INCONCLUSIVE
    assert overall([confirmed]) is confirmed


def test_a_quotient_of_cases_that_shared_blocks_is_paired_and_of_others_marked():
    assert ratio("cost", "b", "a")(pair()).paired
    apart = ratio("cost", "b", "a")(pair(group=1))
    assert not apart.paired
    assert apart.interval.estimate == pytest.approx(2)


def test_what_fails_is_told_from_what_was_never_tried():
    cases = Cases({"a": {"mode": "a"}, "b": {"mode": "b"}})
    refused = made_up.result(
        [], "b", status="unsupported", reason="not across", proof=made_up.Proof()
    )
    tried = picked(made_up.result(A), refused, cases=cases)
    assert verdict(fails("b", "a"), tried) is Verdict.CONFIRMED
    assert verdict(works("a"), tried) is Verdict.CONFIRMED
    assert verdict(works("b"), tried) is Verdict.NOT_TESTABLE
    assert [str(part) for part in outcome("a", "b")(tried)] == ["a works", "b fails"]
    assert verdict(fails("b", "a"), pair()) is Verdict.REFUTED
    never = picked(made_up.result(A), cases=cases)
    assert verdict(fails("b", "a"), never) is Verdict.NOT_TESTABLE


def test_an_exponent_is_that_of_the_law():
    sizes = {str(size): {"size": size} for size in (1, 2, 3)}
    found = picked(
        *(made_up.result([size * one for one in A], size=size, group=size) for size in (1, 2, 3)),
        cases=Cases(sizes, mode="a"),
    )
    assert exponent("cost", "size")(found).interval.estimate == pytest.approx(1, abs=0.05)
    assert exponent("cost", "size")(pair()) is None  # one size has no law


def test_a_size_is_that_at_which_the_line_has_come_to_a_level():
    found = picked(
        *(made_up.result([size * one for one in A], size=size, group=size) for size in (1, 2, 3)),
        cases=Cases({"a": {"mode": "a"}}, size=1),
    )
    part = size_at("cost", 101.0, "size", "full")(found)
    assert part.interval.low < 100 < part.interval.high < 102
    assert size_at("cost", -1.0, "size", "never")(found) is None
    assert size_at("cost", 101.0, "size", "full")(pair()) is None  # one size has no line


def test_a_difference_is_in_the_metrics_unit_whatever_its_scale():
    """The metric is compared by quotients: B is A and A again."""
    part = difference("cost", "b", "a")(pair())
    assert part.interval.estimate == pytest.approx(1.01)
    assert part.text == "+1.01 s"
    assert part.paired


def test_a_metric_over_another_of_the_same_case_is_of_its_own_blocks():
    part = over_other("cost", "b", "cost", "a")(pair(group=1))
    assert not part.paired
    assert part.interval.estimate == pytest.approx(2, rel=0.05)
    assert over_other("cost", "a", "cost", "a")(pair()).text == "0 %"


def test_the_cheapest_is_named_where_it_is_apart_from_all_others():
    assert cheapest("cost")(pair()) == "a costs least"
    assert cheapest("cost")(pair(A, A)) == ""
    assert cheapest("cost")(picked(made_up.result(A))) == ""


@pytest.mark.parametrize(
    ("times", "read"), [(3, "3×"), (2, "2×"), (1.5, "+50 %"), (1, "0 %"), (0.25, "-75 %")]
)
def test_a_quotient_reads_as_a_factor_or_as_a_difference_with_both_its_ends(times, read):
    figure = ratio("cost", "b", "a")(pair(A, [times * one for one in A]))
    assert figure.text == read
    assert all(not end.endswith(("×", "%")) for end in figure.span.split(" – ") if times != 1)


def test_a_finding_is_a_sentence_with_intervals_and_says_where_it_is_from():
    found = find(answer(), pair())
    assert found.sentence == (
        "a 1.01 s [1 – 1.02], b 2.02 s [2 – 2.04], b over a 2×: a costs least"
    )
    assert found.where == "host 6.1, wall clock"
    assert found.verdict is Verdict.CONFIRMED
    assert found.evidence.startswith("a over b −50 %; a 1.01 s")
    told = found.as_json()
    assert told["verdict"] == "confirmed"
    assert told["paired"] is True
    assert told["figures"][1]["unit"] == "s"
    assert told["figures"][1]["estimate"] == 2.02


def test_of_several_settings_the_one_with_most_is_told_and_the_first_of_equals():
    free = Cases({"a": {"mode": "a"}, "b": {"mode": "b"}})
    half = made_up.result(A, size=1)
    whole = [made_up.result(A, mode, size=2, group=1) for mode in "ab"]
    assert len(picked(half, *whole, cases=free).measured) == 2
    assert picked(half, *whole, cases=free).measured["a"].case.params["size"] == 2


def test_a_screenful_has_every_experiments_first_answer_before_any_second(monkeypatch):
    names = "abcdefghij"
    made = [answer(experiment=name, rank=rank) for name in names for rank in (2, 1)]
    found = find(answer(), pair())
    monkeypatch.setattr(answers, "all_answers", lambda: made)
    monkeypatch.setattr(answers, "_findings", lambda one, _: [replace(found, answer=one)])
    chapters = [SimpleNamespace(name=name) for name in reversed(names)]
    told = [(each.answer.experiment, each.answer.rank) for each in answers.answers_of(chapters)]
    assert len(told) == answers.SCREENFUL == 16
    assert [name for name, rank in told if rank == 1] == list(reversed(names))
    assert [name for name, rank in told if rank == 2] == list("jihgfe")
    assert told == sorted(told, key=lambda one: (-ord(one[0]), one[1]))
