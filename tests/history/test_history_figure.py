"""The cost by kernel release in the report, and in the terminal."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest
from made_up_kernels import RELEASES, ROUTING, counted, environment, run_of, three_kernels

from cnbench.analysis.chapters import chapters_of
from cnbench.analysis.kernel_series import histories_of, short_releases
from cnbench.cli.results.history_table import print_history
from cnbench.core.kernels.release import KernelRelease
from cnbench.core.metric import Metric
from cnbench.core.run import Run
from cnbench.report import html
from cnbench.report.plots.by_kernel import panels

Capture = pytest.CaptureFixture[str]


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


def shown_in(columns: int, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    print_history(run)
    return capsys.readouterr().out


def test_the_terminal_shows_the_same(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    said = shown_in(240, three_kernels(), monkeypatch, capsys)
    (iptables,) = (line for line in said.splitlines() if "iptables · services 1000" in line)
    assert iptables.split()[4:] == ["100", "k", "100.01", "k", "-10", "%", "90", "k"]
    assert "time to connect, in instructions" in said
    assert (
        "is a step: the cost differs from the kernels to its left by more than its noise (±0.1 %"
        in said
    )


def test_four_kernels_are_beside_each_other_in_eighty_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    costs = {"bullseye": 57.3e3, "bookworm": 61.73e3, "trixie": 62.51e3, "sid": 61.62e3}
    monkeypatch.setitem(
        RELEASES, "sid", KernelRelease("7.2.13+deb14-cloud-amd64", date(2026, 11, 1), "Debian")
    )
    results = [
        counted(mode, cost, kernel)
        for mode in ("iptables", "nftables")
        for kernel, cost in costs.items()
    ]
    run = run_of(results, [environment(kernel) for kernel in costs])
    said = shown_in(80, run, monkeypatch, capsys)
    (heads,) = (line for line in said.splitlines() if line.startswith("case"))
    assert heads.split() == ["case", "5.10", "6.1", "6.12", "7.2"]
    assert max(map(len, said.splitlines())) <= 80
    # Which they are is said in full, once, and so is what all cases are alike in.
    assert "in all cases: services=1000 period=100ms" in said
    assert said.count("7.2.13+deb14-cloud-amd64") == 1


def test_virtual_time_is_said_once(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    stall = Metric("stall", "s", "lower", "additive", "longest wait", elapsed=True)
    kernels = ("bookworm", "trixie")
    run = run_of(
        [
            counted("v1", cost, kernel, metric="stall")
            for kernel, cost in zip(kernels, (3.5e6, 7e6), strict=True)
        ],
        [environment(kernel) for kernel in kernels],
        records={"service-routing": dataclasses.replace(ROUTING, metrics=(stall,))},
    )
    said = shown_in(80, run, monkeypatch, capsys)
    assert "longest wait, in the guest's time" in said
    assert "3.5 ms  +3.5 ms  7 ms" in said
    assert "virtual" not in said


def test_what_has_no_figure_is_named_with_the_kernel_and_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    said = shown_in(240, three_kernels(), monkeypatch, capsys)
    (nftables, *_) = (line for line in said.splitlines() if line.startswith("nftables"))
    assert "–" in nftables
    assert "unsupported: nftables · services 1000 on 5.10: as made up" in said
    assert "failed: iptables · services 1 on 6.12: as made up" in said


def test_no_step_and_none_that_could_be_told_are_not_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def said_of(samples: int) -> str:
        results = [
            dataclasses.replace(one, samples=one.samples[:samples])
            for one in (counted("ipvs", 1e5, kernel) for kernel in ("bookworm", "trixie"))
        ]
        run = run_of(results, [environment(kernel) for kernel in ("bookworm", "trixie")])
        return shown_in(240, run, monkeypatch, capsys)

    assert "No step" in said_of(8)
    assert "cannot be told" not in said_of(8)
    assert "cannot be told, for want of an interval" in said_of(3)
    assert "No step" not in said_of(3)


def test_many_cases_that_one_reason_stops_are_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    kernels = ("bookworm", "trixie")
    results = [
        counted("ipvs", 1e5, kernel, services=services, status="unsupported")
        for kernel in kernels
        for services in range(1, 6)
    ]
    run = run_of(results, [environment(kernel) for kernel in kernels])
    said = shown_in(240, run, monkeypatch, capsys)
    assert said.count("as made up") == 1
    assert "unsupported: 5 cases on 6.1, 6.12: as made up" in said
