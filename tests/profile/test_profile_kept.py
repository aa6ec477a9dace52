"""Profiles as files, as a difference, as a flame graph, in the report and on the command line."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnbench.analysis.profile.difference import changes
from cnbench.analysis.profile.stacks import stacks_in
from cnbench.cli.measure.profile import command
from cnbench.cli.results.profile_table import print_changes, print_profile
from cnbench.core.case import Case
from cnbench.core.errors import UsageError
from cnbench.report.flames import flame_graph
from cnbench.store import profiles
from cnbench.store.profiles import Profile

CASE = Case("namespaces", {"kind": "net", "live": 0}, "guest", "instructions", "trixie")
STACKS = {
    "the measuring process;entry;create;strlen": 600,
    "the measuring process;entry;create": 300,
    "the measuring process;entry;create;veth_init [veth]": 90,
    "the measuring process;[user space]": 10,
}


def profile(stacks: Mapping[str, int] = STACKS, figure: float = 1000) -> Profile:
    return Profile(CASE, "create", "6.12.1", figure, stacks, "2026-01-01T00:00:00+00:00")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CNBENCH_RESULTS", str(tmp_path / "runs"))
    return tmp_path / "profiles"


def test_a_profile_is_kept_and_an_older_one_of_its_case_replaced() -> None:
    profiles.keep(profile(figure=7))
    profiles.keep(profile())
    assert profiles.kept() == [profile()]
    profiles.keep(replace(profile(), metric="destroy"))
    assert len(profiles.kept()) == 2


def test_another_file_among_profiles_is_named(folder: Path) -> None:
    folder.mkdir()
    (folder / "mine.json").write_text("{}")
    with pytest.raises(UsageError, match=r"mine\.json is no profile"):
        profiles.kept()


def test_what_changed_is_by_function_even_where_it_left_its_module() -> None:
    after = dict(STACKS)
    after["the measuring process;entry;create;veth_init"] = after.pop(
        "the measuring process;entry;create;veth_init [veth]"
    )
    after["the measuring process;entry;create;strlen"] = 100
    found = changes(profile(), profile(after))
    assert (found[0].function, found[0].gained, found[0].total_gained) == ("strlen", -500, -500)
    assert [change.function for change in found if change.gained] == ["strlen"]
    assert next(change for change in found if change.function == "create").total_gained == -500


def test_what_changed_adds_up_to_the_difference_of_both() -> None:
    after = {"the measuring process;entry;another": 77, **STACKS}
    assert sum(change.gained for change in changes(profile(), profile(after))) == 77


def test_a_flame_graph_is_as_wide_as_what_was_executed_and_says_so() -> None:
    graph = ElementTree.fromstring(flame_graph(stacks_in(profile()), "a <case>"))  # noqa: S314
    space = "{http://www.w3.org/2000/svg}"
    boxes = {
        title.text.partition(":")[0]: box
        for group in graph.iter(f"{space}g")
        if (title := group.find(f"{space}title")) is not None and title.text
        for box in [group.find(f"{space}rect")]
        if box is not None
    }
    assert float(boxes["strlen"].attrib["width"]) == 600
    assert float(boxes["create"].attrib["width"]) == 990
    assert float(boxes["create"].attrib["y"]) > float(boxes["strlen"].attrib["y"])
    assert graph.attrib["aria-label"] == "a <case>"
    assert "s2" in boxes["veth_init [veth]"].attrib["fill"]


def test_tables_fit_a_terminal_of_80_columns_and_say_how_much_they_explain(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    case = Case("namespaces", {"kind": "net", "call": "clone3"}, "guest", "instructions", "trixie")
    long = "the measuring process;" + "a_function_with_a_very_long_name" * 2
    shown = replace(profile({long: 1_234_567, **STACKS}, 1_236_000), case=case)
    print_profile(shown, 3)
    print_changes(shown, replace(profile(figure=1001), case=case), 3)
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80
    assert "2 more functions executed 100." in said
    assert "1,235,567: 99.96% of the 1,236,000.0" in " ".join(said.split())
    assert "-1,234,567" in said


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["namespaces", "--metric", "cost"], "namespaces has no metric 'cost'"),
        (["namespaces", "--vary", "kind=net"], "does not name two values"),
        (["namespaces", "-p", "kind=net"], "2 cases are too many"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_measured(
    arguments: list[str], complaint: str
) -> None:
    error = CliRunner().invoke(command, arguments).exception
    assert isinstance(error, UsageError)
    assert complaint in str(error)
