"""What a run of several experiments ends with: answers, and its tables for who asks for them."""

import json
from dataclasses import replace

import made_up
import pytest

from cnbench.core.case import Case
from cnbench.core.run import Request
from cnbench.experiments.registry import experiment_called
from cnbench.store import run_file
from cnbench.store.recorder import new_run

ERRORS = [0.01, 0.011, 0.012, 0.01, 0.011, 0.012, 0.01]
NAMES = ("cpu-quota", "cpu-weight")


def measured(name, given, number):
    """A result of the first quick point that has the values ``given``."""
    points = experiment_called(name).grid(False, given)
    case = Case(name, dict(points[0]))
    return replace(made_up.result(ERRORS, metric="error"), case=case, group=number)


@pytest.fixture
def two_experiments(results):
    """The file of a run in which a quota and a weight were 1 % off."""
    request = Request(NAMES, False, {name: {} for name in NAMES}, "auto", "auto", None, 1)
    run = new_run(request, map(experiment_called, NAMES))
    quota = {"controller": ("v1",), "quota": (0.2,), "period": (0.1,)}
    run.cases = [
        measured("cpu-quota", quota, 0),
        measured("cpu-weight", {"controller": ("v1",), "ratio": (10,)}, 1),
    ]
    run.fingerprints = {made_up.HERE.digest: made_up.HERE}
    path = results / f"{run.id}.json"
    results.mkdir(exist_ok=True)
    run_file.write(run, path)
    return run


QUESTION = "How far off 20 % is a busy loop with a quota of 20,000 in 100,000?"


def test_answers_come_first_and_tables_are_left_to_who_asks(cnbench, two_experiments):
    done = cnbench("show")
    assert done.code == 0, done.err
    first, second, *rest = done.out.splitlines()
    assert first == QUESTION
    assert second == "  v1 +1.1 % [+1 – +1.2]  (host 6.1, wall clock)"
    assert "noise floor" not in done.out
    assert f"all tables:           cnbench show {two_experiments.id} --all" in rest


def test_all_is_answers_and_then_every_table(cnbench, two_experiments):
    done = cnbench("show", "--all")
    assert done.out.startswith(QUESTION)
    assert done.out.count("noise floor") >= len(NAMES)


def test_the_answers_are_in_the_json_object_too(cnbench, two_experiments):
    told = json.loads(cnbench("show", "--json").out)
    (answer,) = told["answers"]
    assert answer["question"] == QUESTION
    assert answer["figures"][0]["estimate"] == pytest.approx(0.011)
    assert answer["repeat"] == "cnbench run cpu-quota -p quota=20% -p period=100ms"


def test_claims_are_all_there_with_a_verdict_and_the_command(cnbench, two_experiments):
    claims = json.loads(cnbench("claims", "--json").out)["claims"]
    verdicts = {claim["statement"]: claim["verdict"] for claim in claims}
    assert len(verdicts) >= 18
    assert verdicts["A quota of 20,000 in 100,000 holds a busy loop at 20 %"] == "confirmed"
    assert verdicts["Ten times the weight gives ten times the CPU"] == "confirmed"
    assert verdicts["Copy-up grows with the file"] == "not testable here"
    assert all(claim["repeat"].startswith("cnbench run ") for claim in claims)
    text = cnbench("claims").out
    assert "Ten times the weight gives ten times the CPU\n  confirmed: v1 +1.1 %" in text
    assert text.rstrip().splitlines()[-1].startswith(f"{len(verdicts)} claims: 2 confirmed, ")
