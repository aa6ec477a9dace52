"""The asv suite: every experiment is in it, as asv itself discovers it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asv.config import Config
from asv_runner.benchmarks._base import get_setup_cache_key
from asv_runner.discovery import disc_benchmarks
from made_up import experiment

from cnbench.asv.conversion import cost_unit
from cnbench.core.case import Case
from cnbench.core.run import CaseResult, Sample
from cnbench.experiments.registry import all_experiments, experiment_called

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", autouse=True)
def _benchmarks_importable() -> Iterator[None]:
    sys.path.insert(0, str(ROOT))
    yield
    sys.path.remove(str(ROOT))


@pytest.fixture(scope="module")
def discovered() -> list[Any]:
    return list(disc_benchmarks(str(ROOT / "benchmarks")))


@pytest.fixture(scope="module")
def suites(discovered: list[Any]) -> list[Any]:
    """One instance of each benchmark class."""
    by_class = {type(b.func.__self__): b.func.__self__ for b in discovered}
    return list(by_class.values())


def test_every_experiment_is_in_the_suite_with_its_headline(discovered: list[Any]) -> None:
    tracked = {(b.func.__self__.experiment, b.name.rpartition("track_")[2]) for b in discovered}
    headlines = {(e.name, e.metrics[0].name) for e in all_experiments().values()}
    assert headlines <= tracked


def test_an_experiment_without_a_class_gets_one_of_its_variants_and_its_headline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from benchmarks import defaults
    from cnbench.asv import suite

    made = {name: experiment(name) for name in ("made-up", "made-up-too")}
    monkeypatch.setattr(suite, "experiment_called", made.__getitem__)
    first, second = (defaults.default_suite(one) for one in made.values())
    assert (first.__name__, first.experiment, first.axes) == (
        "MadeUp", "made-up", {"mode": ("a", "b")},
    )  # fmt: skip
    assert first().track_cost.__func__.pretty_name == "made-up: cost"
    assert [case.params for group in _grid_of(first) for case in group.cases] == [
        {"mode": "a", "size": 1}, {"mode": "b", "size": 1},
    ]  # fmt: skip
    caches = {get_setup_cache_key(suite.setup_cache) for suite in (first, second)}
    assert len(caches) == 2


def _grid_of(suite: Any) -> Any:
    from cnbench.asv.suite import Grid

    return Grid(experiment("made-up"), suite.axes, suite.fixed).groups(suite.venue)


def test_asv_accepts_every_benchmark(discovered: list[Any]) -> None:
    for benchmark in discovered:
        assert benchmark.type == "track"
        assert benchmark.check(str(ROOT)), benchmark.name
        assert benchmark.version == benchmark.func.__self__.version
        metric = benchmark.name.rpartition("track_")[2]
        of = experiment_called(benchmark.func.__self__.experiment).metric(metric)
        assert benchmark.unit == cost_unit(of, benchmark.func.__self__.venue.clock)


def test_no_two_classes_share_a_cache(discovered: list[Any]) -> None:
    owners: dict[str, set[type]] = {}
    for benchmark in discovered:
        owners.setdefault(benchmark.setup_cache_key, set()).add(type(benchmark.func.__self__))
    assert all(len(classes) == 1 for classes in owners.values()), owners
    assert None not in owners


def test_every_class_measures_a_small_grid_that_its_axes_name(suites: list[Any]) -> None:
    from cnbench.asv.suite import Grid

    for suite in suites:
        grid = Grid(experiment_called(suite.experiment), suite.axes, suite.fixed)
        points = [case.params for group in grid.groups(suite.venue) for case in group.cases]
        assert 0 < len(points) <= 24, suite
        named = {grid.written(point) for point in points}
        assert len(named) == len(points), suite
        for axis, values in enumerate(suite.params):
            assert {name[axis] for name in named} == set(values), suite


def test_what_is_unsupported_is_skipped_and_what_failed_says_why(discovered: list[Any]) -> None:
    benchmark = next(b for b in discovered if b.name.endswith("CpuQuota.track_error"))
    case = Case("cpu-quota", {})
    points = [("v1", "20%", "10ms"), ("v2", "20%", "10ms")]
    benchmark.set_cache(
        {
            points[0]: CaseResult(case, 0, "failed", "not proven: it was throttled", "be quieter"),
            points[1]: CaseResult(case, 0, "unsupported", "there is no cgroup v2"),
        }
    )
    benchmark._current_params = points[0]
    assert not benchmark.do_setup()
    with pytest.raises(SystemExit, match=r"it was throttled \(be quieter\)"):
        benchmark.do_run()
    for skipped in (points[1], ("v3", "", "")):
        benchmark._current_params = skipped
        assert benchmark.do_setup()


def test_the_same_samples_are_not_counted_twice(
    discovered: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    benchmark = next(b for b in discovered if b.name.endswith("CpuQuota.track_stall"))
    point = ("v1", "20%", "10ms")
    sample = Sample(0, 0, {"stall": 0.008}, 0, 1)
    benchmark.set_cache({point: CaseResult(Case("cpu-quota", {}), 0, "ok", samples=(sample,))})
    benchmark._current_params = point
    assert benchmark.do_run() == {"samples": [0.008], "number": 1}
    with pytest.raises(SystemExit, match="--interleave-rounds"):
        benchmark.do_run()


def test_importing_the_suite_runs_and_writes_nothing(tmp_path: Path) -> None:
    modules = [f"benchmarks.{path.stem}" for path in (ROOT / "benchmarks").glob("[!_]*.py")]
    program = (
        "import sys, importlib\n"
        "def watch(event, args):\n"
        "    if event in ('subprocess.Popen', 'os.fork', 'os.exec', 'os.mkdir', 'socket.bind'):\n"
        "        raise RuntimeError(f'{event} {args}')\n"
        "sys.dont_write_bytecode = True\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "sys.addaudithook(watch)\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_settings_keep_everything_where_git_ignores_it(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Config.load(str(ROOT / "asv.conf.json"))
    kept = [settings.env_dir, settings.results_dir, settings.html_dir]
    kept.append(".cache/asv/machines.json")
    for path in kept:
        ignored = subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT)
        assert ignored.returncode in (0, 128), f"{path} would be committed"
    assert settings.plugins == [".cnbench.asv.machine", ".cnbench.asv.hearing"]
    for plugin in settings.plugins:
        assert importlib.import_module(plugin[1:]).setup
    assert json.dumps(settings.branches) == '["HEAD"]'
