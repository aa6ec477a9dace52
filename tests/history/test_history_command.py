"""`cnbench history`: what it asks for, what it refuses, and where it leaves things."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from made_up_kernels import RELEASES, counted, environment, run_of, three_kernels

from cnbench.asv import history_folder
from cnbench.cli.main import main
from cnbench.store import run_file

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cnbench(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Calls the command in an empty folder with an empty cache: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CNBENCH_RESULTS", str(tmp_path / "results/runs"))
    monkeypatch.setenv("CNBENCH_CACHE", str(tmp_path / "cache"))

    def call(*argv: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["cnbench", *argv])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return int(ended.value.code or 0), said.out, said.err

    return call


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ((), "which experiment's history?"),
        (("service-routing", "--kernels", "trixie"), "a history needs two kernels"),
        (("no-such",), "no-such"),
        (("service-routing", "--kernels", "trixie,potato"), "no kernel is called 'potato'"),
        (("service-routing", "-p", "nothing=1"), "has no parameter 'nothing'"),
        (("service-routing", "--budget", "60s"), "--budget"),
        (("service-routing", "--run", "latest"), "--run draws what was measured before"),
    ],
)
def test_what_makes_no_sense_is_refused(cnbench: Call, argv: tuple[str, ...], says: str) -> None:
    code, _, error = cnbench("history", *argv)
    assert code == 2
    assert says in error


def test_a_kernel_that_is_not_built_names_the_command_that_builds_it(cnbench: Call) -> None:
    code, _, error = cnbench("history", "service-routing", "--kernels", "bookworm,trixie")
    assert code != 0
    assert "cnbench guest build --kernel bookworm --kernel trixie" in error
    assert "--build" in error


def test_a_run_whose_kernels_are_gone_has_no_dates_and_none_are_made_up(
    cnbench: Call, tmp_path: Path
) -> None:
    run_file.write(three_kernels(), tmp_path / "results/runs/20260101-000000-aaaa.json")
    code, _, error = cnbench("history", "--run", "latest")
    assert code != 0
    assert "the day it was built is not known" in error
    assert not (tmp_path / "results/asv-kernels").exists()


def test_a_run_on_one_kernel_is_no_history(cnbench: Call, tmp_path: Path) -> None:
    run = run_of([counted("ipvs", 1e3, "trixie")], [environment("trixie")])
    run_file.write(run, tmp_path / "results/runs/20260101-000000-aaaa.json")
    code, _, error = cnbench("history", "--run", "latest")
    assert code == 2
    assert "a history needs two" in error


def test_where_nothing_could_be_counted_the_reason_is_told(cnbench: Call, tmp_path: Path) -> None:
    kernels = ("bookworm", "trixie")
    refused = [counted("ipvs", 1e3, kernel, status="unsupported") for kernel in kernels]
    run = run_of(refused, [environment(kernel) for kernel in kernels])
    run_file.write(run, tmp_path / "results/runs/20260101-000000-aaaa.json")
    code, _, error = cnbench("history", "--run", "latest")
    assert code == 2
    assert "on 0 kernels, a history needs two; as made up" in error


def test_an_earlier_run_is_drawn_again_and_the_message_says_where(
    cnbench: Call, tmp_path: Path
) -> None:
    run_file.write(three_kernels(), tmp_path / "results/runs/20260101-000000-aaaa.json")
    by_name = {release.name: release for release in RELEASES.values()}
    folder = history_folder.histories_folder()
    history_folder.add(three_kernels(), by_name, folder, tmp_path / "elsewhere")
    code, out, _ = cnbench("history", "--run", "latest")
    assert code == 0
    assert "reports/asv-kernels" in out
    assert "cnbench report" in out
    assert (tmp_path / "reports/asv-kernels/index.json").is_file()
    assert (tmp_path / "results/asv-kernels/asv/benchmarks.json").is_file()
    assert (tmp_path / "results/asv-kernels/kernels.git/objects").is_dir()
