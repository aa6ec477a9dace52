"""Tables in the terminal say which kernel a figure is from."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_up_kernels import counted, environment, run_of

from cnbench.analysis.comparison import compare_cases, compare_runs
from cnbench.analysis.rows import rows_of
from cnbench.cli.results.comparison_table import print_comparison
from cnbench.cli.tables import print_run
from cnbench.core.run import Run

KERNELS = ("bookworm", "trixie")
UNITS = {"service-routing": {"mode": "", "services": "", "period": "s"}}


def two_kernels() -> Run:
    return run_of([counted("ipvs", 1e5, k) for k in KERNELS], [environment(k) for k in KERNELS])


def test_a_run_on_two_kernels_has_a_table_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    run = two_kernels()
    print_run(run, rows_of(run), Path("run.json"))
    said = capsys.readouterr().out
    assert "guest instructions bookworm" in said
    assert "guest instructions trixie" in said


def test_two_kernels_compared_are_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    run = two_kernels()
    a, b = (result.case for result in run.cases)
    print_comparison(compare_cases(run, [(a, b)], paired=False, margin=None), UNITS)
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("6.1.0-50-cloud-amd64") == 1
    assert said.count("6.12.107+deb13-cloud-amd64") == 1


def test_runs_on_several_kernels_name_each_cases_kernel(
    capsys: pytest.CaptureFixture[str],
) -> None:
    compared = compare_runs(two_kernels(), two_kernels(), margin=None, force=False)
    print_comparison(compared, UNITS)
    said = capsys.readouterr().out
    rows = [line.split()[0] for line in said.splitlines() if " ±" in line]
    assert {"bookworm", "trixie"} <= set(rows)
    assert "kernel" in said
