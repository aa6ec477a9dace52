"""A run on three kernels as asv's files, and what asv makes of them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from asv.results import Results, iter_results
from made_up_kernels import RELEASES, ROUTING, SCATTER, counted, environment, run_of, three_kernels

from cnbench.asv import history_folder
from cnbench.asv.history import benchmarks_of
from cnbench.asv.steps import levels
from cnbench.core.errors import UsageError

BY_NAME = {release.name: release for release in RELEASES.values()}
OLD, MIDDLE, NEW = BY_NAME


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a history of three kernels, drawn by asv."""
    folder: Path = tmp_path_factory.mktemp("history")
    history_folder.add(three_kernels(), BY_NAME, folder / "asv-kernels", folder / "pages")
    return folder


@pytest.fixture(scope="module")
def results(published: Path) -> dict[str, Results]:
    """Each kernel's results, as asv reads them."""
    index = json.loads((published / "pages/index.json").read_text())
    names = {
        index["revision_to_hash"][str(revision)]: tag for tag, revision in index["tags"].items()
    }
    found = iter_results(str(published / "asv-kernels/asv"))
    return {names[result.commit_hash]: result for result in found}


def values(result: Results, benchmark: dict[str, Any]) -> dict[tuple[str, ...], float | None]:
    import itertools

    points = itertools.product(*benchmark["params"])
    found = result.get_result_value(benchmark["name"], benchmark["params"])
    return dict(zip(points, found, strict=True))


def test_each_kernel_is_a_commit_with_its_medians(results: dict[str, Results]) -> None:
    (benchmark,) = benchmarks_of(three_kernels())
    described = benchmark.description()
    assert described["name"] == "service-routing.connect"
    assert described["unit"] == "instructions"
    assert described["param_names"] == ["mode", "services"]
    assert described["params"] == [["iptables", "ipvs", "nftables"], ["1", "1000"]]
    assert set(results) == {OLD, MIDDLE, NEW}
    expected = {OLD: 100e3, MIDDLE: 100.01e3, NEW: 90e3}
    for name, result in results.items():
        found = values(result, described)
        assert found["iptables", "1000"] == pytest.approx(expected[name])
        assert found["ipvs", "1000"] == pytest.approx(80e3)


def test_unsupported_is_not_failed_and_neither_is_a_number(results: dict[str, Results]) -> None:
    described = benchmarks_of(three_kernels())[0].description()
    old, new = values(results[OLD], described), values(results[NEW], described)
    assert old["nftables", "1000"] is not None
    assert math.isnan(old["nftables", "1000"])
    assert math.isnan(old["ipvs", "1"])  # nobody asked for it
    assert new["iptables", "1"] is None


def test_asv_computes_intervals_from_the_samples(results: dict[str, Results]) -> None:
    described = benchmarks_of(three_kernels())[0].description()
    key, params = described["name"], described["params"]
    assert results[OLD].get_result_samples(key, params)[1] == [100e3 * by for by in SCATTER]
    stats = results[OLD].get_result_stats(key, params)[1]
    assert stats["ci_99_a"] == pytest.approx(99.98e3)
    assert stats["ci_99_b"] == pytest.approx(100.02e3)
    assert stats["repeat"] == len(SCATTER)


def test_dates_and_machine_say_what_was_measured_on_what(results: dict[str, Results]) -> None:
    assert results[OLD].date == 1723248000 * 1000  # 2024-08-10, midnight UTC
    machine = results[OLD].params
    assert machine["clock"] == "instructions"
    assert machine["machine"] == "instructions-guest-0123456789ab"


def test_asv_draws_the_releases_and_lists_the_step_that_is_one(published: Path) -> None:
    index = json.loads((published / "pages/index.json").read_text())
    assert sorted(index["tags"], key=index["tags"].__getitem__) == [OLD, MIDDLE, NEW]
    (graph,) = (published / "pages/graphs").rglob("machine-*/**/service-routing.connect.json")
    drawn = json.loads(graph.read_text())
    assert [revision for revision, _ in drawn] == [0, 1, 2]
    # Only what became worse is on asv's page of regressions, and here something became better.
    assert json.loads((published / "pages/regressions.json").read_text())["regressions"] == []


def test_a_rise_is_a_regression_in_asv_however_short_the_history(tmp_path: Path) -> None:
    costs = {"bullseye": 100e3, "bookworm": 102e3, "trixie": 105e3}
    run = run_of(
        [counted("ipvs", cost, kernel) for kernel, cost in costs.items()],
        [environment(kernel) for kernel in costs],
    )
    history_folder.add(run, BY_NAME, tmp_path / "asv-kernels", tmp_path / "pages")
    (found,) = json.loads((tmp_path / "pages/regressions.json").read_text())["regressions"]
    assert found[0] == "service-routing.connect(ipvs)"
    assert [jump[1] for jump in found[-1]] == [1, 2]


def test_a_history_replaces_only_its_own_experiments(tmp_path: Path) -> None:
    def history(experiment: str, kernels: tuple[str, ...], cost: float) -> None:
        run = run_of(
            [counted("ipvs", cost, kernel, experiment=experiment) for kernel in kernels],
            [environment(kernel) for kernel in kernels],
            records={experiment: ROUTING},
        )
        known = history_folder.known_releases(tmp_path / "asv-kernels")
        new = {name: one for name, one in BY_NAME.items() if name not in known}
        history_folder.add(run, new, tmp_path / "asv-kernels", tmp_path / "pages")

    history("service-routing", ("bullseye", "bookworm"), 1e3)
    history("pod-network", ("bookworm", "trixie"), 2e3)
    history("service-routing", ("bookworm", "trixie"), 3e3)
    folder = tmp_path / "asv-kernels"
    assert set(history_folder.known_releases(folder)) == {MIDDLE, NEW}
    found = list(iter_results(str(folder / "asv")))
    assert len(found) == 2
    for result in found:
        assert result.get_result_value("service-routing.connect", [["ipvs"]]) == [3e3]
        assert result.get_result_value("pod-network.connect", [["ipvs"]]) == [2e3]


def test_rates_become_costs() -> None:
    kernels = ("bookworm", "trixie")
    run = run_of(
        [counted("ipvs", 0.8, kernel, metric="rate") for kernel in kernels],
        [environment(kernel) for kernel in kernels],
    )
    (benchmark,) = benchmarks_of(run)
    assert benchmark.description()["unit"] == "instructions/B"
    assert benchmark.result_on(NEW).samples[0][0] == pytest.approx(1.25)


def test_one_kernel_is_no_history() -> None:
    run = run_of([counted("ipvs", 1e3, "trixie")], [environment("trixie")])
    with pytest.raises(UsageError, match="1 kernels, a history needs two"):
        history_folder.check(run)


def test_a_damaged_list_of_releases_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "releases.json").write_text('[{"name": "6.1"}]')
    with pytest.raises(UsageError, match="is damaged"):
        history_folder.known_releases(tmp_path)


@pytest.mark.parametrize(
    ("costs", "reach", "edges"),
    [
        ([100.0, 102.0, 105.0, 111.0], 0.01, [(0, 1), (1, 2), (2, 3), (3, 4)]),
        ([100.0, 100.02, 99.99, 100.01], 0.01, [(0, 4)]),  # within what boots differ by
        ([100.0, 100.02, 110.0, 110.03], 0.01, [(0, 2), (2, 4)]),
        ([100.0, 110.0], 30.0, [(0, 2)]),  # nothing is known of either
    ],
)
def test_steps_in_asv_follow_the_intervals(
    costs: list[float], reach: float, edges: list[tuple[int, int]]
) -> None:
    found = levels(range(len(costs)), costs, [1 / reach] * len(costs))
    assert [(left, right) for left, right, *_ in found] == edges


def test_kernels_without_a_result_are_no_step() -> None:
    found = levels([0, 1, 2, 3], [100.0, None, math.nan, 100.0], [None, None, None, 100.0])
    assert [(left, right) for left, right, *_ in found] == [(0, 4)]
    assert levels([], [], []) == []
    assert levels([0, 1], [None, None], [None, None]) == []
