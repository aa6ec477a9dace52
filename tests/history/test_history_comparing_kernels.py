"""Comparing runs on several kernels: each case with its own, and never across without a word."""

from __future__ import annotations

import pytest
from made_up_kernels import counted, environment, run_of

from cnbench.analysis.comparison import compare_runs
from cnbench.analysis.matching import environment_differences
from cnbench.core.errors import NotComparableError, UsageError
from cnbench.core.run import Run


def on(*kernels: tuple[str, float], lab: str = "guest", clock: str = "instructions") -> Run:
    return run_of(
        [counted("ipvs", c, kernel, lab=lab, clock=clock) for kernel, c in kernels],  # type: ignore[arg-type]
        [environment(kernel, clock, lab) for kernel, _ in kernels],
    )


def test_a_run_with_two_kernels_compares_each_with_itself() -> None:
    a = on(("bookworm", 100e3), ("trixie", 50e3))
    b = on(("bookworm", 110e3), ("trixie", 50e3))
    found = {
        one.b.case.kernel: one.effect.estimate
        for one in compare_runs(a, b, margin=None, force=False)
    }
    assert found == {"bookworm": pytest.approx(1.1), "trixie": pytest.approx(1.0)}
    assert environment_differences(a, b) == []


def test_one_kernel_of_two_is_compared_with_its_own() -> None:
    a, b = on(("trixie", 50e3)), on(("bookworm", 110e3), ("trixie", 50e3))
    (one,) = compare_runs(a, b, margin=None, force=False)
    assert one.b.case.kernel == "trixie"


def test_a_single_other_kernel_is_compared_when_forced() -> None:
    a, b = on(("bookworm", 100e3)), on(("trixie", 90e3))
    with pytest.raises(NotComparableError, match=r"kernel: 6\.1\.0-50.* and 6\.12\.107"):
        compare_runs(a, b, margin=None, force=False)
    (one,) = compare_runs(a, b, margin=None, force=True)
    assert one.effect.estimate == pytest.approx(0.9)


def test_a_host_and_a_guest_are_different_environments() -> None:
    a = on(("6.1.0", 1e-5), lab="host", clock="wall")
    b = on(("trixie", 1e-5), clock="wall")
    essential = {d.what for d in environment_differences(a, b) if d.essential}
    assert {"lab", "kernel", "image"} <= essential
    with pytest.raises(NotComparableError, match="lab: host and guest"):
        compare_runs(a, b, margin=None, force=False)
    assert len(compare_runs(a, b, margin=None, force=True)) == 1


def test_seconds_are_never_compared_with_instructions() -> None:
    a = on(("trixie", 1e-5), clock="wall")
    b = on(("trixie", 90e3))
    with pytest.raises(NotComparableError, match="clock: wall and instructions"):
        compare_runs(a, b, margin=None, force=False)
    with pytest.raises(UsageError, match="no case in common"):
        compare_runs(a, b, margin=None, force=True)
