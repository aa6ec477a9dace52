"""Profiles in the report: beside the case that they are of, and beside no other."""

from __future__ import annotations

from dataclasses import replace

from synthetic_runs import whole_run

from cnbench.report import html
from cnbench.store.profiles import Profile

RUN = whole_run()
CASE = next(result.case for result in RUN.cases if result.status == "ok")
STACKS = {"the measuring process;ipt_do_table [ip_tables]": 750, "the measuring process;<&>": 250}
PROFILE = Profile(CASE, "connect", "6.12.1", 1000.0, STACKS, "2026-01-01T00:00:00+00:00")


def test_without_a_profile_nothing_is_said_of_instructions() -> None:
    assert "Where the instructions go" not in html.render([RUN])


def test_a_case_has_its_flame_graph_and_its_functions_beside_it() -> None:
    page = html.render([RUN], profiles=[PROFILE])
    assert "Where the instructions go" in page
    assert "<title>ipt_do_table [ip_tables]: 750 instructions, 75.00%</title>" in page
    assert "100.00% of the 1,000 instructions" in page
    assert "&lt;&amp;&gt;" in page
    assert "<&>" not in page


def test_a_profile_of_a_case_that_the_run_does_not_have_is_left_out() -> None:
    other = replace(PROFILE, case=replace(CASE, params={**CASE.params, "services": 12345}))
    assert "Where the instructions go" not in html.render([RUN], profiles=[other])
