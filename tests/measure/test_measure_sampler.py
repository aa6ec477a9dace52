import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import Script, Stage, broken_proof

from cnbench.core.case import Case, Group
from cnbench.core.errors import CnbenchError
from cnbench.measuring import witness
from cnbench.measuring.blocks import balanced_order
from cnbench.measuring.events import GroupReady, WorkAdvanced

FEWEST = 6


def noisy(turn):
    return 1.0 + turn % 2


def by_mode(outcome):
    return {result.case.params["mode"]: result for result in outcome.results}


def blocks_of(diary):
    """The samples after the warm-up, each name without 'sample '."""
    return [entry.split()[1] for entry in diary if entry.startswith("sample ")]


def test_everything_happens_in_its_order():
    stage = Stage({"a": Script(), "b": Script()})
    stage.run()
    diary = stage.diary
    assert diary[:4] == ["fixtures", "set-up a", "set-up b", "fixtures"]
    assert diary[4] == "set-up a′"  # with fixtures of its own
    assert diary[5:8] == ["sample a", "sample b", "sample a′"]  # the warm-up
    assert len(blocks_of(diary)) == 3 * (1 + FEWEST)
    assert diary[-7:] == [
        "proof a",
        "proof b",
        "take-down a′",
        "fixtures gone",
        "take-down b",
        "take-down a",
        "fixtures gone",
    ]


def test_warm_up_is_not_kept():
    (a,) = Stage({"a": Script(value=lambda turn: 99.0 if turn == 0 else 1.0)}).run().results
    assert {sample.values["cost"] for sample in (*a.samples, *a.twin)} == {1.0}


def test_every_block_holds_each_once_and_every_second_is_the_first_reversed():
    stage = Stage({"a": Script(value=noisy), "b": Script(value=noisy)})
    stage.run(most_blocks=8)
    taken = blocks_of(stage.diary)[3:]
    blocks = [taken[i : i + 3] for i in range(0, len(taken), 3)]
    assert len(blocks) == 8
    for first, second in zip(blocks[::2], blocks[1::2], strict=True):
        assert sorted(first) == ["a", "a′", "b"]
        assert second == first[::-1]


@given(st.integers(1, 12), st.integers(0, 500), st.integers())
def test_an_order_is_balanced_over_two_blocks(count, pair, seed):
    first, second = (balanced_order(count, 2 * pair + half, seed) for half in (0, 1))
    assert sorted(first) == list(range(count))
    assert [
        x + y
        for x, y in zip(
            map(first.index, range(count)), map(second.index, range(count)), strict=True
        )
    ] == [count - 1] * count


def test_different_blocks_and_seeds_have_different_orders():
    assert len({tuple(balanced_order(6, block, 1)) for block in range(0, 40, 2)}) > 10
    assert len({tuple(balanced_order(6, 0, seed)) for seed in range(20)}) > 10


def test_the_same_seed_gives_the_same_order():
    first, again = (Stage({"a": Script(), "b": Script()}) for _ in range(2))
    first.run(seed=7)
    again.run(seed=7)
    assert first.diary == again.diary


def test_sampling_stops_at_the_target_with_the_fewest_blocks_for_an_interval():
    (a,) = Stage({"a": Script()}).run(target=0.01).results
    assert len(a.samples) == len(a.twin) == FEWEST
    assert a.stopped == "reached its target of ±0.01"
    assert a.status == "ok"


def test_more_blocks_may_be_the_fewest():
    (exact,) = Stage({"a": Script()}).run(target=0.01, fewest_blocks=FEWEST + 1).results
    assert len(exact.samples) == FEWEST + 1
    (late,) = Stage({"a": Script(value=noisy)}).run(budget=0, fewest_blocks=FEWEST + 3).results
    assert len(late.samples) == FEWEST + 3


def test_the_least_precise_case_decides():
    outcome = Stage({"a": Script(), "b": Script(value=noisy)}).run(most_blocks=20)
    assert [len(result.samples) for result in outcome.results] == [20, 20]
    assert outcome.results[0].stopped == "took all of its 20 blocks"


def test_a_twin_that_differs_from_block_to_block_goes_on_being_compared():
    # Each within its target by itself; but their ratio swings by twice as much.
    steps = {
        "a": lambda turn: 1 + 0.008 * (-1) ** turn,
        "a′": lambda turn: 1 - 0.008 * (-1) ** turn,
    }
    scripts = {name: Script(value=value) for name, value in steps.items()}
    (alone,) = Stage({"a": scripts["a"]}).run(target=0.01, most_blocks=20).results
    assert len(alone.samples) == FEWEST
    (a,) = Stage(scripts).run(target=0.01, most_blocks=20).results
    assert len(a.samples) == len(a.twin) == 20


def test_an_additive_metric_has_an_absolute_target():
    scripts = {"a": Script(metric="error", value=lambda turn: 1e-4 * (-1) ** turn)}
    (a,) = Stage(scripts).run(target=0.01).results
    assert len(a.samples) == FEWEST


def test_a_case_whose_samples_give_other_metrics_by_and_by_fails_alone():
    outcome = Stage({"a": Script(later="error"), "b": Script()}).run()
    a, b = by_mode(outcome)["a"], by_mode(outcome)["b"]
    assert (a.status, b.status) == ("failed", "ok")
    assert "gave ['cost', 'error'], and an earlier one ['cost']" in a.reason


def test_a_budget_ends_sampling_once_there_is_an_interval():
    (a,) = Stage({"a": Script(value=noisy)}).run(budget=3).results
    assert len(a.samples) == FEWEST
    assert a.stopped == "spent its 3 s"
    (a,) = Stage({"a": Script(value=noisy)}).run(budget=40).results
    assert len(a.samples) == 20  # a block is a and a′, a second each


def test_a_hard_budget_ends_sampling_with_two_blocks():
    (a,) = Stage({"a": Script(value=noisy)}).run(budget=0.001, hard=True).results
    assert len(a.samples) == 2


def test_samples_know_their_block_turn_and_time():
    stage = Stage({"a": Script(), "b": Script()})
    a, b = stage.run().results
    assert [sample.block for sample in a.samples] == list(range(FEWEST))
    for first, second, twin in zip(a.samples, b.samples, a.twin, strict=True):
        turns = [first.turn, second.turn, twin.turn]
        assert sorted(turns) == [0, 1, 2]
        for sample in (first, second, twin):
            assert sample.started == 3 * sample.block + sample.turn
            assert sample.duration == 1
    assert a.setup == b.setup == 0


def test_listeners_hear_of_every_block():
    stage = Stage({"a": Script()})
    stage.run()
    ready, *blocks = stage.told
    assert ready == GroupReady(0, sound=True)
    assert [event.block for event in blocks] == list(range(FEWEST))
    assert stage.told[-1].precision == 0
    assert blocks[0].precision == float("inf")


def disturb(monkeypatch, *attempts):
    """Have the samples (from 0, warm-up not counted) at ``attempts`` be disturbed."""
    count = itertools.count()

    def disturbances(shares, duration):
        return ("the neighbours were loud",) if next(count) in attempts else ()

    monkeypatch.setattr(witness, "disturbances", disturbances)


def test_a_disturbed_sample_is_marked_and_measured_again(monkeypatch):
    disturb(monkeypatch, 0)
    stage = Stage({"a": Script(value=lambda turn: 1.0 + turn / 1e6)})
    (a,) = stage.run().results
    both = sorted((*a.samples, *a.twin), key=lambda sample: sample.started)
    assert both[0].replaced
    assert both[0].disturbances == ("the neighbours were loud",)
    assert not both[1].replaced
    assert both[1].disturbances == ()
    assert (both[0].block, both[0].turn) == (both[1].block, both[1].turn)
    assert sum(sample.replaced for sample in both) == 1


def test_a_block_that_the_counters_deny_is_taken_again_by_those_it_is_denied_to():
    stage = Stage({"a": Script(), "b": Script(denied=[1])})
    outcome = by_mode(stage.run())
    assert stage.diary.count("sample a") == 1 + FEWEST
    assert stage.diary.count("sample b") == 1 + FEWEST + 1
    assert not any(sample.disturbances for sample in outcome["a"].samples)
    denied = [sample for sample in outcome["b"].samples if sample.block == 1]
    assert [sample.replaced for sample in denied] == [True, False]
    (why,) = denied[0].disturbances
    assert why == "the kernel's counters deny what was sampled in this block"


def test_a_block_is_accounted_for_once_all_of_it_is_sampled():
    stage = Stage({"a": Script(), "b": Script()})
    stage.run(most_blocks=1, fewest_blocks=1)
    block = stage.diary[8:14]
    assert [entry.split()[0] for entry in block] == 3 * ["sample"] + 3 * ["account"]
    assert {entry.split()[1] for entry in block[3:]} == {"a", "b", "a′"}


def test_a_case_whose_block_stays_denied_fails_alone():
    outcome = by_mode(Stage({"a": Script(), "b": Script(denied=[0, 1, 2])}).run())
    assert outcome["a"].status == "ok"
    assert outcome["b"].status == "failed"
    assert "deny what was sampled in this block, 3 times over" in outcome["b"].reason


def test_an_interrupt_amid_a_block_accounts_for_all_before_a_proof():
    stage = Stage({"a": Script(fails={"sample 3": KeyboardInterrupt()}), "b": Script()})
    outcome = stage.run()
    assert outcome.interrupted
    first_proof = stage.diary.index("proof a")
    assert set(stage.diary[first_proof - 3 : first_proof]) == {
        "account a",
        "account b",
        "account a′",
    }


def test_a_case_whose_account_fails_fails_alone():
    fails = {"account 2": CnbenchError("no look")}
    outcome = by_mode(Stage({"a": Script(), "b": Script(fails=fails)}).run())
    assert outcome["a"].status == "ok"
    assert "no look" in outcome["b"].reason


def test_only_the_timed_parts_are_witnessed_where_a_sample_says_what_they_are(monkeypatch):
    witnessed = []

    def between(before, after):
        witnessed.append(after.at - before.at)
        return {}

    monkeypatch.setattr(witness, "between", between)
    readings = (witness.MachineReading(float(n), 0.0, {}, None) for n in range(10_000))
    monkeypatch.setattr(witness.MachineReading, "now", lambda: next(readings))
    stage = Stage({"a": Script()})
    script = stage.scripts["a"]

    def sample_with_two_parts(number):
        for _ in range(2):
            with stage.timed.part():
                next(readings)  # a moment that is timed
            next(readings)  # and one that is not
        return 1.0

    script.value = sample_with_two_parts
    stage.run(most_blocks=1)
    # Two parts of two seconds each, of the case and of its twin.
    assert witnessed == [4, 4]


def test_where_instructions_are_counted_there_is_nobody_to_disturb(monkeypatch):
    disturb(monkeypatch, *range(10_000))
    stage = Stage({"a": Script()})
    monkeypatch.setattr(
        stage,
        "group",
        lambda: Group((Case("made-up", {"mode": "a"}, lab="guest", clock="instructions"),), 0),
    )
    (result,) = stage.run(most_blocks=3).results
    assert [sample.disturbances for sample in result.samples] == [(), (), ()]


def test_a_sample_that_stays_disturbed_is_used_and_marked(monkeypatch):
    disturb(monkeypatch, *range(10_000))
    (a,) = Stage({"a": Script()}).run().results
    assert len(a.samples) == 3 * FEWEST
    used = [sample for sample in a.samples if not sample.replaced]
    assert [sample.block for sample in used] == list(range(FEWEST))
    assert all(sample.disturbances for sample in a.samples)


def test_what_is_not_proven_on_a_busy_machine_says_that_it_was_busy(monkeypatch):
    disturb(monkeypatch, *range(10_000))
    (busy,) = Stage({"a": Script(proof=broken_proof())}).run().results
    assert busy.status == "failed"
    assert "; the machine was busy in 18 of 18 samples (the neighbours were loud)" in busy.reason
    disturb(monkeypatch)
    (quiet,) = Stage({"a": Script(proof=broken_proof())}).run().results
    assert "busy" not in quiet.reason


def test_nothing_is_measured_again_once_the_budget_is_spent(monkeypatch):
    disturb(monkeypatch, *range(10_000))
    (a,) = Stage({"a": Script()}).run(budget=0.5).results
    assert [sample.replaced for sample in a.samples if sample.block > 0] == [False] * (FEWEST - 1)


def interrupted_in(moment, mode="b"):
    return Stage(
        {
            "a": Script(value=noisy),
            "b": Script(value=noisy),
            mode: Script(value=noisy, fails={moment: KeyboardInterrupt()}),
        }
    )


def test_an_interrupt_amid_a_block_keeps_what_was_measured():
    stage = interrupted_in("sample 3")
    outcome = stage.run()
    assert outcome.interrupted
    for result in outcome.results:
        assert result.status == "ok"
        assert result.stopped == "interrupted"
        assert len(result.samples) >= 2
        assert result.proof.holds
    assert stage.diary[-1] == "fixtures gone"
    assert "proof a" in stage.diary


def test_an_interrupt_that_spoils_a_proof_says_so():
    stage = interrupted_in("sample 3")
    stage.scripts["b"].proof = broken_proof()
    b = by_mode(stage.run())["b"]
    assert b.status == "failed"
    assert b.reason.startswith("it was interrupted in a sample: not proven: probes counted")


@pytest.mark.parametrize("moment", ["sample 0", "sample 1"])
def test_an_interrupt_before_a_first_sample_is_no_result(moment):
    b = by_mode(interrupted_in(moment).run())["b"]
    assert (b.status, b.reason) == ("failed", "it was interrupted before a sample")
    assert b.samples == ()


def test_a_sample_that_was_to_be_measured_again_is_none(monkeypatch):
    disturb(monkeypatch, 0)
    stage = Stage({"a": Script(fails={"sample 2": KeyboardInterrupt()}), "a′": Script()})
    a_first = next(seed for seed in range(100) if balanced_order(2, 0, seed) == [0, 1])
    (a,) = stage.run(seed=a_first).results
    assert (a.status, a.reason) == ("failed", "it was interrupted before a sample")


def test_an_interrupt_while_taking_proofs_takes_them_again():
    stage = interrupted_in("proof")
    stage.scripts["b"].once.add("proof")
    outcome = stage.run(most_blocks=8)
    assert outcome.interrupted
    assert [result.status for result in outcome.results] == ["ok", "ok"]
    assert {len(result.samples) for result in outcome.results} == {8}


def test_an_interrupt_while_taking_down_loses_no_result():
    stage = interrupted_in("take-down")
    outcome = stage.run(most_blocks=8)
    assert outcome.interrupted
    assert [result.status for result in outcome.results] == ["ok", "ok"]
    assert "take-down a" in stage.diary


def test_an_interrupt_in_a_set_up_takes_down_what_was_set_up():
    stage = interrupted_in("set-up")
    with pytest.raises(KeyboardInterrupt):
        stage.run()
    assert stage.diary == [
        "fixtures", "set-up a", "set-up b", "take-down a", "fixtures gone",
    ]  # fmt: skip


def test_long_work_in_a_sample_is_told_as_its_cases():
    stage = Stage({"a": Script()})

    def long(turn):
        stage.long_work.advanced(f"steps of sample {turn}", 10_000, 10_000)
        return 1.0

    stage.scripts["a"] = Script(value=long)
    stage.run(most_blocks=1)
    told = [event for event in stage.told if isinstance(event, WorkAdvanced)]
    assert {event.case.params["mode"] for event in told} == {"a"}
    assert sorted((event.twin, event.what) for event in told) == [
        (twin, f"10,000 of 10,000 steps of sample {turn}")
        for twin in (False, True)
        for turn in (0, 1)
    ]


def test_long_work_in_a_set_up_is_told():
    stage = Stage({"a": Script()})

    @contextlib.contextmanager
    def subject(params, lab):
        lab.long_work.advanced("steps", 10_000, 10_000)
        with Stage.subject(stage, params, lab) as actor:
            yield actor

    stage.subject = subject
    stage.run(most_blocks=1)
    told = [event for event in stage.told if isinstance(event, WorkAdvanced)]
    assert [event.twin for event in told] == [False, True]
