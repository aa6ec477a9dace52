"""Set-ups in processes of their own: real ones, with a scheduler of a hundred nodes in each."""

import contextlib
import os
import signal
from dataclasses import replace
from multiprocessing.connection import Connection
from types import SimpleNamespace

import pytest
from scripted import Script, Stage

from cnbench.core import stopping
from cnbench.core.case import Case, Group
from cnbench.core.errors import CnbenchError, UsageError
from cnbench.core.experiment import everywhere
from cnbench.core.parameter import Point
from cnbench.experiments.registry import experiment_called
from cnbench.lab import cpus
from cnbench.lab.host import open_lab
from cnbench.measuring import sampler
from cnbench.measuring.own_process.entry import _that_can_be_sent
from cnbench.measuring.own_process.process import own_process
from cnbench.measuring.policy import Policy

SCHEDULER = experiment_called("scheduler-scoring")


def case(**changes):
    (point,) = SCHEDULER.grid(False, {"plugin": ["NodeResourcesFit"], "nodes": [100]})
    return Case("scheduler-scoring", {**point, **changes})


@pytest.fixture
def lab(tmp_path):
    with open_lab("host", "wall", tmp_path / "journals") as opened, opened.fresh_fixtures():
        yield opened


@pytest.fixture
def process(lab):
    with own_process(lab) as opened:
        yield opened


def test_what_is_set_up_elsewhere_is_sampled_and_proven_as_what_is_here(lab, process):
    elsewhere = process.open(case())
    with SCHEDULER.subject(Point(case().params), lab) as here:
        assert elsewhere.sample().keys() == here.sample().keys()
        assert elsewhere.proof() == here.proof()
    assert elsewhere.proof().holds
    assert elsewhere.account()
    assert elsewhere.capture() is None


def test_the_thread_that_is_witnessed_is_the_one_that_samples(process):
    taken = process.open(case()).witnessed()
    assert taken.values["cost"] > 0
    # A process that has just begun has waited less for processors than any that runs the tests;
    # that both readings are of one thread shows in their difference.
    assert 0 <= taken.after.run_delay - taken.before.run_delay <= taken.after.at - taken.before.at


def test_what_goes_wrong_there_is_told_here_as_what_it_is(process):
    with pytest.raises(UsageError, match="no experiment 'scheduler-scorin'") as raised:
        process.open(Case("scheduler-scorin", {})).opened()
    assert "scheduler-scoring" in raised.value.remedy
    # ...and the process goes on.
    assert process.open(case()).sample()["cost"] > 0


def test_a_fault_comes_with_its_traceback(process):
    with pytest.raises(KeyError) as raised:
        process.open(Case("scheduler-scoring", {})).opened()
    assert (
        "open_question" in raised.value.__notes__[0] or "_open_subject" in raised.value.__notes__[0]
    )


def test_an_error_that_cannot_be_sent_is_told_by_what_it_says():
    class Local(Exception):  # noqa: N818  pickle finds no class inside a function
        pass

    class OfOurs(UsageError):  # noqa: N818
        pass

    assert str(_that_can_be_sent(Local("it broke"))) == "Local: it broke"
    sent = _that_can_be_sent(OfOurs("no such pod", "give another"))
    assert (str(sent), sent.remedy) == ("no such pod", "give another")
    assert isinstance(_that_can_be_sent(UsageError("so", "do")), UsageError)


def test_a_process_that_was_killed_is_told_wherever_it_is_asked(lab):
    with contextlib.suppress(CnbenchError), own_process(lab) as process:
        subject = process.open(case())
        subject.opened()
        os.kill(process.number, signal.SIGKILL)
        for _ in range(2):
            with pytest.raises(CnbenchError, match="was killed by signal 9"):
                subject.sample()


def test_that_it_was_killed_is_told_at_the_end_too_and_nothing_of_it_is_left(lab):
    stack = contextlib.ExitStack()
    process = stack.enter_context(own_process(lab))
    process.open(case()).opened()
    there = {path.stem for path in lab.journal.path.parent.iterdir()} - {lab.journal.run}
    os.kill(process.number, signal.SIGKILL)
    with pytest.raises(CnbenchError, match="was killed by signal 9") as raised:
        stack.close()
    assert "memory" in raised.value.remedy
    assert list(lab.journal.path.parent.iterdir()) == [lab.journal.path]
    assert len(there) == 1
    assert not (lab.folder.parent / lab.folder.name.replace(lab.journal.run, *there)).exists()


def test_an_answer_that_a_stopped_user_did_not_wait_for_is_nobody_elses(process, monkeypatch):
    subject = process.open(case())
    subject.opened()
    with monkeypatch.context() as stopped:
        stopped.setattr(type(process), "answer", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            subject.sample()
    assert subject.proof().holds


@pytest.fixture
def _stopped_as_by_a_user(monkeypatch):
    """As inside ``stopping.listening``, which is the last thing that a process does."""
    stop = stopping._Stop()
    monkeypatch.setattr(stopping, "_current", stop)
    heard = {signal.SIGINT: stop.hear, signal.SIGALRM: stop.raise_or_wait}
    before = {number: signal.signal(number, handler) for number, handler in heard.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_stopped_as_by_a_user")
def test_a_stop_amid_an_answer_does_not_leave_its_rest_to_the_next(process, monkeypatch):
    subject = process.open(case())
    subject.opened()
    receive = Connection._recv

    def stopped_after_the_length(connection, size):
        received = receive(connection, size)
        monkeypatch.setattr(Connection, "_recv", receive)
        signal.raise_signal(signal.SIGINT)
        return received

    def sampled_until_stopped():
        subject.sample()
        signal.pause()

    monkeypatch.setattr(Connection, "_recv", stopped_after_the_length)
    with pytest.raises(KeyboardInterrupt):
        sampled_until_stopped()
    assert subject.proof().holds


def test_why_it_ended_is_told_to_every_case_in_it_and_at_the_end(lab):
    stack = contextlib.ExitStack()
    process = stack.enter_context(own_process(lab))
    process._asked.send("no question")
    for _ in range(2):
        with pytest.raises(CnbenchError, match="ended with 1: ValueError"):
            process.ask("proof", 0)
    with pytest.raises(CnbenchError, match="ended with 1: ValueError"):
        stack.close()


def test_however_much_it_says_on_stderr_it_goes_on(lab, monkeypatch):
    monkeypatch.setenv("PYTHONVERBOSE", "1")
    with own_process(lab) as process:
        process.open(case()).opened()
        assert os.fstat(process._errors.fileno()).st_size > 1 << 16


def test_a_file_of_the_user_s_is_not_taken_for_a_module(lab, tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit('this is none of yours')")
    monkeypatch.chdir(tmp_path)
    with own_process(lab) as process:
        process.open(case()).opened()


def test_several_are_set_up_at_once(lab):
    with own_process(lab) as one, own_process(lab) as other:
        # Neither is waited for before both have begun, nor in their order.
        first, second = one.open(case()), other.open(case())
        second.opened()
        assert second.sample()["cost"] > 0
        assert first.sample()["cost"] > 0


def test_it_leaves_nothing_behind(lab):
    with own_process(lab) as process:
        process.open(case()).sample()
        number, folder = process.number, lab.journal.path.parent
        assert len(list(folder.iterdir())) == 2
    assert list(folder.iterdir()) == [lab.journal.path]
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


class ApartStage(Stage):
    """A stage whose processes are opened here: which of them each set-up came from is noted."""

    def __post_init__(self):
        self.made = {}

    def fixture(self, key, make):
        if key not in self.made:
            self.made[key] = make().__enter__()
        return self.made[key]

    @contextlib.contextmanager
    def fresh_fixtures(self):
        self.made = {}
        yield

    @contextlib.contextmanager
    def process(self, lab):
        assert lab is self
        self.diary.append("process")
        yield SimpleNamespace(open=self.open)

    def open(self, case):
        actor = self.subject(case.params, self).__enter__()
        actor.opened = lambda: None
        return actor


def sampled(monkeypatch, clock="wall", **policy):
    stage = ApartStage({"a": Script(), "b": Script()})
    monkeypatch.setattr(sampler, "own_process", stage.process)
    experiment = stage.experiment(setups=everywhere(4), apart=lambda params: True)
    cases = tuple(replace(case, clock=clock) for case in stage.group().cases)
    group_sampler = sampler.GroupSampler(experiment, stage, Policy(**policy), stage.now)
    group_sampler.run(Group(cases, 0), stage.told.append)
    return stage.diary.count("process")


def test_each_set_up_of_the_cases_and_each_of_their_twins_is_in_one(monkeypatch):
    assert sampled(monkeypatch) == 10 + 10


def test_where_instructions_are_counted_nothing_is_in_another_process(monkeypatch):
    assert sampled(monkeypatch, clock="instructions") == 0


def test_the_schedulers_own_are_apart_as_far_as_memory_goes():
    def apart(**changes):
        return SCHEDULER.apart(Point(case(**changes).params))

    assert apart()
    assert apart(nodes=5000, pods=30)
    assert not apart(nodes=100_000)
    assert not apart(trace="openb")


def test_a_sample_is_made_where_its_asker_may_run(process):
    subject = process.open(case())
    subject.opened()
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        subject.sample()
        assert os.sched_getaffinity(process.number) == {max(before)}
    finally:
        os.sched_setaffinity(0, before)


def test_samples_are_made_on_the_processor_that_idles_most(monkeypatch):
    allowed = os.sched_getaffinity(0)
    readings = iter([dict.fromkeys(allowed, 0), {cpu: 9 - cpu for cpu in allowed}])
    monkeypatch.setattr(cpus, "_idle_ticks", lambda: next(readings))
    with cpus.on_the_idlest() as chosen:
        assert chosen == min(allowed)
        assert os.sched_getaffinity(0) == {chosen}
    assert os.sched_getaffinity(0) == allowed


def test_idle_ticks_are_of_every_processor():
    assert cpus._idle_ticks().keys() >= os.sched_getaffinity(0)


def test_of_a_group_of_many_cases_none_is_in_another_process(monkeypatch):
    monkeypatch.setattr(sampler, "MOST_APART", 1)
    assert sampled(monkeypatch) == 0
