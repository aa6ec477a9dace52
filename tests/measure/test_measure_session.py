from dataclasses import replace

import pytest
from scripted import Script, Stage

from cnbench.core.errors import CnbenchError
from cnbench.measuring.events import (
    BlockEnded,
    CaseEnded,
    GroupEnded,
    GroupReady,
    GroupStarted,
    Warned,
)
from cnbench.measuring.plan import Plan
from cnbench.measuring.session import carry_out


def plan_of(stage, groups=2, seconds=10.0, budget=None):
    numbered = tuple(stage.group(size=n + 1, number=n + 3) for n in range(groups))
    return Plan(numbered, seconds, budget, seed=1)


def carried_out(stage, plan, listen=None):
    told = []

    def keep(event):
        told.append(event)
        if listen:
            listen(event)

    try:
        carry_out(plan, lambda name: stage.experiment(), stage, "digest", keep, stage.now)
        return told, False
    except KeyboardInterrupt:
        return told, True


def test_all_groups_are_told_in_order():
    stage = Stage({"a": Script(), "b": Script()})
    told, interrupted = carried_out(stage, plan_of(stage))
    assert not interrupted
    kinds = [type(event) for event in told]
    per_group = [GroupStarted, GroupReady, *[BlockEnded] * 6, CaseEnded, CaseEnded, GroupEnded]
    assert kinds == per_group * 2
    started = [event for event in told if isinstance(event, GroupStarted)]
    assert [(e.number, e.experiment, e.params) for e in started] == [
        (3, "made-up", {"size": 1}),
        (4, "made-up", {"size": 2}),
    ]
    results = [event.result for event in told if isinstance(event, CaseEnded)]
    assert [result.group for result in results] == [3, 3, 4, 4]
    assert {result.fingerprint for result in results} == {"digest"}


def test_a_budget_is_for_all_and_what_a_group_leaves_is_shared():
    noisy = Script(value=lambda turn: 1.0 + turn % 2)
    stage = Stage({"a": noisy})
    told, _ = carried_out(stage, plan_of(stage, groups=3, budget=120))
    budgets = [event.budget for event in told if isinstance(event, GroupStarted)]
    assert budgets[0] == 40
    assert budgets[1] == pytest.approx((120 - 42) / 2)  # the warm-up of a and a′ counts
    quick = Stage({"a": Script()})
    told, _ = carried_out(quick, plan_of(quick, groups=3, budget=120))
    budgets = [event.budget for event in told if isinstance(event, GroupStarted)]
    assert budgets[1] == pytest.approx((120 - 14) / 2)


def test_a_spent_budget_still_gives_every_group_two_blocks():
    stage = Stage({"a": Script(value=lambda turn: 1.0 + turn % 2)})
    told, _ = carried_out(stage, plan_of(stage, groups=3, budget=1))
    results = [event.result for event in told if isinstance(event, CaseEnded)]
    assert [len(result.samples) for result in results] == [2, 2, 2]


def test_without_a_budget_each_group_has_its_own_time():
    stage = Stage({"a": Script(value=lambda turn: 1.0 + turn % 2)})
    told, _ = carried_out(stage, plan_of(stage, seconds=30))
    assert [event.budget for event in told if isinstance(event, GroupStarted)] == [30, 30]


def test_an_interrupt_tells_the_group_it_was_in_and_begins_no_other():
    stage = Stage({"a": Script(fails={"sample 3": KeyboardInterrupt()}), "b": Script()})
    told, interrupted = carried_out(stage, plan_of(stage))
    assert interrupted
    results = [event.result for event in told if isinstance(event, CaseEnded)]
    assert [result.group for result in results] == [3, 3]
    assert {result.stopped for result in results} == {"interrupted"}


def test_an_interrupt_while_results_are_told_tells_them_all():
    stage = Stage({"a": Script(), "b": Script()})
    interrupts = iter([KeyboardInterrupt()])

    def interrupted_once(event):
        if isinstance(event, CaseEnded):
            for interrupt in interrupts:
                raise interrupt

    told, interrupted = carried_out(stage, plan_of(stage), interrupted_once)
    assert interrupted
    results = [event.result for event in told if isinstance(event, CaseEnded)]
    assert {result.case.params["mode"] for result in results} == {"a", "b"}


def test_what_could_not_be_taken_down_is_warned_of():
    stage = Stage({"a": Script(fails={"take-down": CnbenchError("the mount is stuck")})})
    told, _ = carried_out(stage, plan_of(stage, groups=1))
    (warning,) = [event for event in told if isinstance(event, Warned)]
    assert "the mount is stuck" in warning.message


def test_a_group_that_fails_does_not_stop_the_next():
    stage = Stage({"a": Script(fails={"set-up": OSError(5, "input/output error")})})
    told, _ = carried_out(stage, replace(plan_of(stage)))
    results = [event.result for event in told if isinstance(event, CaseEnded)]
    assert [result.status for result in results] == ["failed", "failed"]
