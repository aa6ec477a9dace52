"""The report of a fleet: the slow ones named and no other, and what they have in common."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any

import made_up
import numpy as np
import pytest
from made_up_fleets import fleet, run, seeds, settings

from cnbench.analysis.fleet import words
from cnbench.analysis.fleet.fleet import fleet_of
from cnbench.cli.main import main
from cnbench.core.errors import UsageError
from cnbench.core.metric import Metric
from cnbench.core.run import Request
from cnbench.report import fleet as page
from cnbench.store import run_file
from cnbench.store.recorder import new_run


def test_five_slow_nodes_of_200_are_named_and_no_other_in_20_of_20_fleets() -> None:
    for rng in seeds(20):
        runs, slow = fleet(rng)
        found = fleet_of(runs)
        assert {node.name for node in found.odd} == slow
        assert all(node.is_worse for node in found.odd)


def test_in_10_fleets_of_200_alike_none_is_named() -> None:
    for rng in seeds(10):
        runs, _ = fleet(rng, slow=0)
        assert fleet_of(runs).odd == ()


def test_what_nodes_differ_by_is_found_again() -> None:
    runs, _ = fleet(np.random.default_rng(3))
    for row in fleet_of(runs).rows:
        assert row.change(row.between.nodes or 0) == pytest.approx(0.01, rel=0.25)
        assert row.change(row.between.inside or 0) == pytest.approx(0.02 * 1.25 / 12**0.5, rel=0.15)
        assert row.between.typical.half_width < 0.003


def test_faster_nodes_are_odd_as_well_and_are_not_called_worse() -> None:
    runs, fast = fleet(np.random.default_rng(4), slower=-0.10)
    found = fleet_of(runs).odd
    assert {node.name for node in found} == fast
    assert not any(node.is_worse for node in found)


def test_nodes_that_are_slower_by_little_in_every_case_are_odd_over_all() -> None:
    """What one case says of a node has its own noise in it; what all of them say has less."""
    rng = np.random.default_rng(8)
    several = []
    for number in range(60):
        off = np.log(1.05) if number == 7 else 0.0
        cases = [
            made_up.result(list(np.exp(off + 0.08 * rng.normal(size=12))), size=size, group=size)
            for size in range(1, 17)
        ]
        made = made_up.run(*cases, identity=f"20260101-000000-{number:04}")
        made.node = f"node-{number}"
        several.append((Path(f"{number}.jsonl"), made))
    (odd,) = fleet_of(several).odd
    assert odd.name == "node-7"
    assert odd.rows == ()
    assert odd.worse == pytest.approx(0.05, abs=0.02)


def test_a_setting_that_the_slow_ones_share_is_told() -> None:
    environment = settings(governor="powersave")
    usual = settings(governor="performance")
    runs, slow = fleet(np.random.default_rng(5), environments=[usual], slow_environment=environment)
    found = fleet_of(runs)
    (shared,) = found.shared[0]
    assert ("governor", "powersave") in shared.facts
    assert (shared.odd, shared.others) == (5, 0)
    assert all(("governor", "powersave") in node.unusual for node in found.odd)
    assert any("governor powersave (5 of 5; 0 of the other 195)" in s for s in words.summary(found))
    assert {node.name for node in found.odd} == slow


def test_slow_nodes_of_another_kernel_are_no_measure_of_each_other() -> None:
    runs, slow = fleet(np.random.default_rng(6), slow_environment=settings(kernel="6.1.1"))
    found = fleet_of(runs)
    assert [len(kind.nodes) for kind in found.kinds] == [195, 5]
    assert {node.name for node in found.odd} == slow
    assert found.shared[0][0].facts == (("kernel", "6.1.1"),)


def test_two_kinds_of_machines_are_not_odd_to_each_other() -> None:
    rng = np.random.default_rng(7)
    kinds = [settings(cpu="old"), settings(cpu="new")]
    runs = []
    for number in range(40):
        old = number % 2 == 0
        off = 0.01 * rng.normal() + (0.5 if old else 0.0) + (0.12 if number == 11 else 0.0)
        runs.append((Path("x"), run(rng, f"node-{number:03}", off, kinds[0 if old else 1])))
    found = fleet_of(runs)
    assert [node.name for node in found.odd] == ["node-011"]
    assert [len(kind.nodes) for kind in found.kinds] == [20, 20]


def test_a_node_that_is_hardly_known_is_not_called_odd() -> None:
    rng = np.random.default_rng(9)
    runs, _ = fleet(rng, nodes=30, slow=0)
    wild = made_up.run(made_up.result([1e-3, 2e-3, 0.5e-3, 4e-3, 0.9e-3, 3e-3, 0.7e-3, 2.2e-3]))
    wild.node = "wild"
    assert "wild" not in {node.name for node in fleet_of([*runs, (Path("w"), wild)]).odd}


def test_a_fleet_that_does_not_differ_normally_is_cautioned_about() -> None:
    runs, _ = fleet(np.random.default_rng(10), draw="exponential", slower=0.3)
    found = fleet_of(runs)
    assert found.odd
    assert not found.normal
    assert "not differ normally" in words.caution(found)
    assert "not differ normally" in page.render(found)


def test_an_error_that_should_be_zero_counts_by_its_size() -> None:
    rng = np.random.default_rng(12)
    runs = []
    for number in range(20):
        size = 0.5 if number == 3 else 0.01
        values = list(rng.choice([-1, 1]) * (size + 0.001 * rng.normal(size=12)))
        made = made_up.run(made_up.result(values, metric="error"), metrics=(made_up.ERROR,))
        made.node = f"node-{number}"
        runs.append((Path("x"), made))
    (odd,) = fleet_of(runs).odd
    assert (odd.name, odd.is_worse, odd.worse) == ("node-3", True, None)


def test_more_is_better_where_the_metric_says_so() -> None:
    rate = Metric("rate", "B/s", "higher", "ratio", "how fast")
    rng = np.random.default_rng(13)
    runs = []
    for number in range(20):
        values = list((0.5 if number == 3 else 1.0) * np.exp(0.01 * rng.normal(size=12)))
        made = made_up.run(made_up.result(values, metric="rate"), metrics=(rate,))
        made.node = f"node-{number}"
        runs.append((Path("x"), made))
    (odd,) = fleet_of(runs).odd
    assert (odd.name, odd.is_worse) == ("node-3", True)


def test_one_node_is_no_fleet() -> None:
    made = made_up.run(made_up.result([1.0] * 8))
    made.node = "lonely"
    with pytest.raises(UsageError, match="two nodes at least; these runs are of lonely"):
        fleet_of([(Path("a"), made), (Path("b"), made)])


def test_a_file_that_does_not_say_is_a_node_of_its_own() -> None:
    made = [made_up.run(made_up.result([1.0] * 8)) for _ in range(2)]
    found = fleet_of(zip((Path("one.jsonl"), Path("two.jsonl")), made, strict=True))
    assert [node.name for node in found.nodes] == ["one", "two"]


def test_a_run_says_which_node_it_is_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Request((), False, {}, "host", "wall", None, 1)
    assert new_run(asked, []).node == platform.node()
    monkeypatch.setenv("CNBENCH_NODE", "node-7\x1b[2J")
    named = new_run(asked, [])
    assert named.node == "node-7\ufffd[2J"
    run_file.write(named, tmp_path / "run.jsonl")
    assert run_file.read(tmp_path / "run.jsonl").node == named.node


@pytest.fixture
def gathered(tmp_path: Path) -> tuple[Path, set[str]]:
    """A folder with a folder a node, as `kubectl cp` or rsync would have left it."""
    runs, slow = fleet(np.random.default_rng(20), slow_environment=settings(governor="powersave"))
    for path, made in runs:
        place = tmp_path / "gathered" / made.node / path.name
        place.parent.mkdir(parents=True)
        run_file.write(made, place)
    return tmp_path / "gathered", slow


def called(monkeypatch: pytest.MonkeyPatch, capsys: Any, *argv: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["cnbench", *map(str, argv)])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_the_command_reads_a_folder_of_folders_and_writes_a_page(
    gathered: tuple[Path, set[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    folder, slow = gathered
    written = tmp_path / "fleet.html"
    code, out, _ = called(monkeypatch, capsys, "fleet", "report", folder, "-o", written)
    assert code == 0
    assert "5 nodes worse than the others" in out
    assert "governor powersave (5 of 5; 0 of the other 195)" in " ".join(out.split())
    text = written.read_text()
    assert all(f'<th scope="row">{name}</th>' in text for name in slow)
    assert text.count('<path class="odd"') == 2
    code, out, _ = called(monkeypatch, capsys, "fleet", "report", folder, "--json")
    told = json.loads(out)
    assert {node["node"] for node in told["odd"]} == slow
    assert len(told["nodes"]) == 200
    assert told["in_common"]["worse"][0]["others"] == 0


def test_mistakes_are_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    (tmp_path / "none").mkdir()
    code, out, err = called(monkeypatch, capsys, "fleet", "report", tmp_path / "none", "--json")
    assert (code, out) == (2, "")
    assert "a fleet has two nodes at least" in err
    code, _, err = called(monkeypatch, capsys, "fleet", "report", tmp_path, "--rate", "100%")
    assert code == 2
    assert "share of the reports" in err
    theirs = tmp_path / "theirs.html"
    theirs.write_text("not ours")
    code, _, err = called(monkeypatch, capsys, "fleet", "report", tmp_path, "-o", theirs)
    assert code == 2
    assert theirs.read_text() == "not ours"
