"""The cost by kernel release in the report, and in the terminal."""

from __future__ import annotations

import pytest
from made_up_kernels import counted, environment, run_of, three_kernels

from cnbench.analysis.chapters import chapters_of
from cnbench.analysis.kernel_series import histories_of
from cnbench.cli.results.history_table import print_history
from cnbench.core.run import Run
from cnbench.report import html
from cnbench.report.plots.by_kernel import panels, short_releases


def test_the_step_is_found_where_it_is_and_nowhere_else() -> None:
    (history,) = histories_of(chapters_of([three_kernels()])[0])
    assert [kernel[:4] for kernel in history.kernels] == ["5.10", "6.1.", "6.12"]
    found = {
        (one.measured[0].case.params["mode"], one.measured[0].case.params["services"]): one
        for one in history.series
    }
    (step,) = found["iptables", 1000].steps or ()
    assert step.index == 2
    assert step.effect.estimate == pytest.approx(0.9, rel=1e-3)
    assert found["ipvs", 1000].steps == ()
    # It was unsupported on the first kernel, so its series begins with the second.
    assert found["nftables", 1000].kernels == history.kernels[1:]


def test_wall_clock_kernels_need_a_noise_floor_to_tell_a_step() -> None:
    def run(**changes: object) -> Run:
        import dataclasses

        results = [
            dataclasses.replace(counted("ipvs", cost, kernel, clock="wall"), **changes)  # type: ignore[arg-type]
            for kernel, cost in (("bookworm", 1e-5), ("trixie", 2e-5))
        ]
        return run_of(results, [environment(k, "wall") for k in ("bookworm", "trixie")])

    (known,) = histories_of(chapters_of([run()])[0])[0].series
    assert len(known.steps or ()) == 1
    (unknown,) = histories_of(chapters_of([run(twin=())])[0])[0].series
    assert unknown.steps is None


def test_the_report_draws_a_history_and_names_the_step() -> None:
    page = html.render([three_kernels()])
    assert "connect by kernel release" in page
    assert "−10 %" in page
    assert "6.12" in page


def test_a_run_on_one_kernel_has_no_such_figure() -> None:
    run = run_of([counted("ipvs", 1e3, "trixie")], [environment("trixie")])
    assert panels(chapters_of([run])[0]) == []


def test_two_runs_on_a_kernel_each_are_no_history() -> None:
    runs = [
        run_of([counted("ipvs", 1e3, kernel)], [environment(kernel)], id=f"2026010{day}-000000-a")
        for day, kernel in enumerate(("bookworm", "trixie"), start=1)
    ]
    assert panels(chapters_of(runs)[0]) == []


@pytest.mark.parametrize(
    ("releases", "short"),
    [
        (
            ["5.10.0-32-cloud-amd64", "6.1.0-50-cloud-amd64", "6.12.107+deb13-cloud-amd64"],
            ["5.10", "6.1", "6.12"],
        ),
        (["6.1.0-49-cloud-amd64", "6.1.0-50-cloud-amd64"], ["6.1.0-49", "6.1.0-50"]),
        (["6.1.0-50-cloud-amd64", "6.1.0-50-amd64"], ["6.1.0-50-cloud", "6.1.0-50-amd64"]),
        (["6.1.0"], ["6.1"]),
        (["6.1", "6.1"], ["6.1", "6.1"]),
        ([], []),
    ],
)
def test_releases_are_cut_to_what_tells_them_apart(releases: list[str], short: list[str]) -> None:
    assert short_releases(releases) == short


def test_the_terminal_shows_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    print_history(three_kernels())
    said = capsys.readouterr().out
    (iptables,) = (line for line in said.splitlines() if "iptables · services 1000" in line)
    assert iptables.split("instr")[0].endswith("100 k ")
    assert "-10 %  90 k instr" in iptables
    (nftables,) = (line for line in said.splitlines() if "nftables" in line)
    assert "–" in nftables
