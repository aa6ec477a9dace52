"""``cnbench behaviours`` on this machine's own kernel."""

import json
import os

import pytest

from cnbench.store import behaviour_tables

ONE = "processes.pidfd-number"


@pytest.fixture
def behaviours(cnbench):
    return lambda *argv: cnbench("behaviours", *argv)


def test_the_questions_are_listed_without_asking(behaviours, results):
    done = behaviours("--list")
    assert done.code == 0
    assert "network.syn-retries" in done.out
    assert not results.parent.joinpath("behaviours.json").exists()


def test_an_answer_is_printed_and_kept_for_the_report(behaviours, results):
    done = behaviours(ONE, "--kernels", "host", "--json", "--controls")
    assert done.code == 0, done.err
    (column,) = json.loads(done.out)["columns"]
    assert column["release"] == os.uname().release
    (found,) = column["observations"]
    assert found["behaviour"] == ONE
    assert found["answer"] in ("one each", "one for all")
    assert len(found["controls"]) == 2
    kept = behaviour_tables.read(behaviour_tables.tables_file())
    assert kept.row(ONE)[0].answer == found["answer"]


def test_the_table_says_how_many_differ_and_why_there_is_no_answer(behaviours):
    done = behaviours(ONE, "network.conntrack-max", "--kernels", "host")
    assert "0 of 2 behaviours" in done.out
    assert "network.conntrack-max: it would change this machine" in done.out


@pytest.mark.parametrize(
    ("argv", "code", "word"),
    [
        (["no-such"], 2, "no behaviour 'no-such'"),
        (["--kernels", ","], 2, "which kernels?"),
        (["--kernels", "/no/vmlinuz"], 5, "/no/vmlinuz"),
        ([ONE, "--kernels", "host", "--changes"], 2, "two kernels"),
    ],
)
def test_what_cannot_be_asked_is_refused(behaviours, argv, code, word):
    behaviours(*argv).failed_in_one_sentence(code, word)
