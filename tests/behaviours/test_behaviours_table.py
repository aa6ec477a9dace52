"""Kernels side by side: where two of them differ."""

import pytest

from cnbench.behaviours.observation import Observation
from cnbench.behaviours.table import Change, Column, changes, table_of
from cnbench.core.errors import UsageError
from cnbench.store import behaviour_tables


def column(kernel, release, **answers):
    """A kernel that gave these answers; None is none."""
    observations = tuple(
        Observation(name, "ok", answer) if answer else Observation(name, "unsupported", reason="no")
        for name, answer in answers.items()
    )
    return Column(kernel, release, observations)


OLD = column("bullseye", "5.10.0-32", pid="all", frozen="at once", ipvs="4096")
MIDDLE = column("bookworm", "6.1.0-50", pid="all", frozen="at once", ipvs=None)
NEW = column("sid", "7.2.13", pid="own", frozen="at once", ipvs="growing")


def test_kernels_stand_in_the_order_of_their_versions():
    assert [one.kernel for one in table_of([NEW, OLD, MIDDLE]).columns] == [
        "bullseye", "bookworm", "sid",
    ]  # fmt: skip


def test_an_answer_is_marked_that_differs_from_the_kernel_before():
    assert table_of([OLD, MIDDLE, NEW]).marks("pid") == (False, False, True)


def test_who_did_not_answer_is_passed_over():
    assert table_of([OLD, MIDDLE, NEW]).marks("ipvs") == (False, False, True)


def test_what_differs_is_counted_once_a_behaviour():
    assert table_of([OLD, MIDDLE, NEW]).differing() == ("pid", "ipvs")
    assert table_of([OLD, MIDDLE]).differing() == ()


def test_a_comparison_lists_what_changed_and_leaves_out_who_did_not_answer():
    assert list(changes(OLD, NEW)) == [
        Change("pid", "all", "own"), Change("ipvs", "4096", "growing"),
    ]  # fmt: skip
    assert list(changes(MIDDLE, NEW)) == [Change("pid", "all", "own")]
    assert list(changes(NEW, NEW)) == []


def test_a_file_gives_back_what_was_kept(tmp_path):
    path = tmp_path / "behaviours.json"
    assert behaviour_tables.read(path).columns == ()
    kept = behaviour_tables.keep([NEW, OLD], path)
    assert behaviour_tables.read(path) == kept == table_of([OLD, NEW])


def test_a_new_answer_replaces_that_kernels_older_one_and_no_other(tmp_path):
    path = tmp_path / "behaviours.json"
    behaviour_tables.keep([OLD, NEW], path)
    table = behaviour_tables.keep([column("sid", "7.2.13", pid="nobody's")], path)
    assert [one.answer for one in table.row("pid")] == ["all", "nobody's"]
    assert [one.answer for one in table.row("ipvs")] == ["4096", "growing"]


@pytest.mark.parametrize("text", ["", "[]", '{"format": "x"}', '{"format": "cnbench-behaviours"}'])
def test_anothers_file_is_left_alone(tmp_path, text):
    path = tmp_path / "behaviours.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="no table of behaviours"):
        behaviour_tables.keep([OLD], path)
    assert path.read_text() == text
