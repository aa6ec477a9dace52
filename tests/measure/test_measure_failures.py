import pytest
from scripted import Script, Stage, broken_proof

from cnbench.core.errors import CnbenchError, CommandError, UnsupportedError
from cnbench.core.proof import Proof
from cnbench.measuring.events import GroupReady

FEWEST = 6


def by_mode(outcome):
    return {result.case.params["mode"]: result for result in outcome.results}


def blocks_of(diary):
    """The samples after the warm-up, each name without 'sample '."""
    return [entry.split()[1] for entry in diary if entry.startswith("sample ")]


BREAKAGES = {
    "an error of ours": (CnbenchError("it broke", "mend it"), "failed", "it broke"),
    "a tool's": (
        CommandError(["nft", "-f"], 3, "first\nlast\n"),
        "failed",
        "`nft -f` exited with 3: last",
    ),
    "what is missing": (
        UnsupportedError("no such thing", "get it"),
        "unsupported",
        "no such thing",
    ),
    "a fault": (
        ZeroDivisionError("division by zero"),
        "failed",
        "ZeroDivisionError: division by zero",
    ),
}


@pytest.mark.parametrize("moment", ["set-up", "sample 0", "sample 1", "sample 4", "proof"])
@pytest.mark.parametrize("breakage", BREAKAGES)
def test_a_case_that_fails_is_a_result_and_the_others_go_on(moment, breakage):
    error, status, reason = BREAKAGES[breakage]
    stage = Stage({"a": Script(fails={moment: error}), "b": Script()})
    outcome = stage.run()
    found = by_mode(outcome)
    assert (found["a"].status, found["a"].reason) == (status, reason)
    assert found["a"].remedy == getattr(error, "remedy", found["a"].remedy)
    assert found["b"].status == "ok"
    assert len(found["b"].samples) == FEWEST
    assert stage.diary.count("take-down b") == 1
    assert not outcome.interrupted


def test_a_failed_tools_words_and_status_are_kept():
    error = BREAKAGES["a tool's"][0]
    (a,) = Stage({"a": Script(fails={"sample 3": error})}).run().results
    assert (a.stderr, a.exit_status) == ("first\nlast\n", 3)
    assert len(a.samples) == 2  # those before it, for whoever looks into it


def test_a_faults_traceback_is_kept_in_the_result():
    (a,) = Stage({"a": Script(fails={"proof": ZeroDivisionError("x")})}).run().results
    assert "Traceback" in a.stderr
    assert "\n" not in a.reason


def test_when_all_fail_nothing_more_is_sampled():
    error = CnbenchError("it broke")
    stage = Stage({"a": Script(fails={"sample 2": error}), "a′": Script()})
    (a,) = stage.run(budget=1000, target=0).results
    assert a.status == "failed"
    assert a.stopped == "no case was left to sample"
    assert blocks_of(stage.diary).count("a′") <= 3


def test_when_none_can_be_set_up_nothing_is_sampled():
    stage = Stage({"a": Script(fails={"set-up": UnsupportedError("no", "yes")})})
    (a,) = stage.run().results
    assert a.status == "unsupported"
    assert stage.diary == ["fixtures", "set-up a", "fixtures gone"]
    assert stage.told == []


@pytest.mark.parametrize(
    ("fails", "sound"),
    [
        ({"set-up": UnsupportedError("no", "yes")}, True),
        ({"set-up": CnbenchError("it broke")}, False),
        ({"sample 0": CnbenchError("it broke")}, False),
    ],
)
def test_a_group_is_soundly_set_up_unless_something_failed(fails, sound):
    stage = Stage({"a": Script(), "b": Script(fails=fails)})
    stage.run()
    assert stage.told[0] == GroupReady(0, sound)


@pytest.mark.parametrize("error", [CnbenchError("stuck"), OSError(16, "busy"), RuntimeError("odd")])
def test_a_failing_take_down_loses_no_result(error):
    stage = Stage({"a": Script(fails={"take-down": error}), "b": Script()})
    outcome = stage.run()
    assert [result.status for result in outcome.results] == ["ok", "ok"]
    (warning,) = outcome.warnings
    assert warning.startswith("made-up size=1 could not be taken down")
    assert str(error) in warning
    assert {"take-down a′", "take-down b", "take-down a"} <= set(stage.diary)


@pytest.mark.parametrize("moment", ["set-up", "sample 0", "sample 3"])
@pytest.mark.parametrize("error", [CnbenchError("no room"), OSError(28, "no room")])
def test_a_failing_twin_costs_the_noise_floor_alone_and_says_so(moment, error):
    outcome = Stage({"a": Script(), "b": Script(), "a′": Script(fails={moment: error})}).run()
    found = by_mode(outcome)
    assert found["a"].status == found["b"].status == "ok"
    assert found["a"].twin == ()
    (warning,) = outcome.warnings
    assert "has no noise floor" in warning
    assert "no room" in warning


def test_the_reference_alone_has_a_twin_and_another_takes_its_place_where_it_cannot_be():
    found = by_mode(Stage({"a": Script(), "b": Script()}).run())
    assert len(found["a"].twin) == FEWEST
    assert found["b"].twin == ()
    refused = Script(fails={"set-up": UnsupportedError("no", "yes")})
    found = by_mode(Stage({"a": refused, "b": Script()}).run())
    assert len(found["b"].twin) == FEWEST


def test_without_proof_there_is_no_result_and_the_samples_are_kept():
    (a,) = Stage({"a": Script(proof=broken_proof())}).run().results
    assert a.status == "failed"
    assert a.reason == "not proven: probes counted: expected 200, observed 199"
    assert len(a.samples) == FEWEST
    assert not a.proof.holds
    (a,) = Stage({"a": Script(proof=Proof())}).run().results
    assert (a.status, a.reason) == ("failed", "there is no proof of what was measured")


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_value_that_its_metric_cannot_have_fails_the_case(value):
    (a,) = Stage({"a": Script(value=lambda turn: value if turn == 3 else 1.0)}).run().results
    assert a.status == "failed"
    assert "metric cost" in a.reason


def test_a_metric_that_the_experiment_does_not_have_fails_the_case():
    (a,) = Stage({"a": Script(metric="colour")}).run().results
    assert a.status == "failed"
    assert "colour" in a.reason
