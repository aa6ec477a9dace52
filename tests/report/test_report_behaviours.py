"""The section on what kernels do."""

from synthetic_runs import whole_run

from cnbench.behaviours.observation import Observation
from cnbench.behaviours.table import Column, table_of
from cnbench.report import html


def column(release, *observations):
    return Column("kernel", release, observations)


PIDFD, RETRIES = "processes.pidfd-number", "network.syn-retries"
TABLE = table_of(
    [
        column("5.10.0", Observation(PIDFD, "ok", "one for all"),
               Observation(RETRIES, "ok", "3: <4> SYNs")),
        column("7.2.13", Observation(PIDFD, "ok", "one each"),
               Observation(RETRIES, "unsupported", reason="ip is not installed"),
               Observation("gone.long-ago", "ok", "whatever")),
    ]
)  # fmt: skip


def test_without_any_kernel_asked_there_is_no_such_section():
    assert "Behaviours by kernel" not in html.render([whole_run()])


def test_a_row_has_each_kernels_answer_and_marks_the_one_that_differs():
    page = html.render([whole_run()], TABLE)
    assert "<td>one for all</td>" in page
    assert "<td><b>one each</b></td>" in page
    assert "1 of 2 rows have two different answers" in page


def test_who_did_not_answer_says_why_and_answers_are_escaped():
    page = html.render([whole_run()], TABLE)
    assert "<small>ip is not installed</small>" in page
    assert "3: &lt;4&gt; SYNs" in page


def test_what_is_not_asked_any_more_is_left_out():
    assert "gone.long-ago" not in html.render([whole_run()], TABLE)
