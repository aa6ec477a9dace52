"""The surface of a quota's error, and the model beside it."""

from __future__ import annotations

import dataclasses

import pytest
from matplotlib.figure import Figure
from synthetic_runs import QUOTA, a_run, add_quota, fingerprint, result

from cnbench.analysis.chapters import Chapter, chapters_of
from cnbench.core.fingerprint import Fingerprint
from cnbench.report.plots import cpu_surface, panels_of
from cnbench.report.svg import inline

SLICE = {"kernel.sched_cfs_bandwidth_slice_us": "5000"}
TICKING = {"timer tick": "4 ms"} | SLICE
COMMON = {"controller": "v2", "period": 0.1, "threads": 1, "periods": 10}
RECORD = dataclasses.replace(
    QUOTA, parameters=QUOTA.parameters | {"periods": "", "load": "", "nested": "", "burst": "1"}
)


def environment(**behaviour: str) -> Fingerprint:
    plain = fingerprint("host", "wall", "6.12.0")
    return dataclasses.replace(plain, behaviour=behaviour)


def chapter(errors: dict[tuple[float, int], float], **behaviour: str) -> Chapter:
    """A chapter with an error for each quota and number of periods."""
    run = a_run({"cpu-quota": RECORD}, environments=[environment(**behaviour)])
    for (quota, periods), error in errors.items():
        params = COMMON | {"quota": quota, "periods": periods}
        centres = {"error": error, "throttled": 1.0, "stall": 0.08}
        run.cases.append(result(run, "cpu-quota", params, centres, noise=0.001))
    return chapters_of([run])[0]


def texts(one: Chapter, panel: int) -> list[str]:
    ax = Figure().add_subplot()
    cpu_surface.surface_panels(one)[panel].draw(ax)
    return [text.get_text() for text in ax.texts]


def test_the_error_stands_beside_the_model() -> None:
    found = chapter({(0.1, 10): 0.02, (0.5, 10): -0.001}, **TICKING)
    over, under = texts(found, 0)
    assert over.startswith("+2")
    assert under.startswith("−0.1")
    # A tick and a millisecond, of ten times 10 or 50 ms.
    assert texts(found, 1) == ["±5 %", "±1 %"]


def test_without_a_known_tick_there_is_no_model() -> None:
    assert len(cpu_surface.surface_panels(chapter({(0.1, 10): 0.02, (0.5, 10): 0.0}, **SLICE))) == 1


def test_what_is_beyond_the_model_is_framed_and_counted() -> None:
    measured, _ = cpu_surface.surface_panels(chapter({(0.1, 10): 0.2, (0.5, 10): 0.001}, **TICKING))
    assert "beyond the model (1 of 2)" in measured.caption


def test_of_two_lengths_the_longer_is_shown() -> None:
    shown = texts(chapter({(0.1, 10): 0.05, (0.1, 30): 0.02, (0.5, 30): 0.0}), 0)
    assert len(shown) == 2
    assert shown[0].startswith(("+1.9", "+2"))


def test_one_point_is_no_surface() -> None:
    assert cpu_surface.surface_panels(chapter({(0.1, 10): 0.02})) == []


@pytest.mark.parametrize(
    "varied", [{"load": "syscall"}, {"nested": "tighter"}, {"burst": 1.0}], ids=str
)
def test_what_was_varied_is_shown_beside_its_common_case(varied: dict[str, str | float]) -> None:
    run = a_run({"cpu-quota": RECORD})
    common = {"load": "spin", "nested": "none", "burst": 0.0, "quota": 0.2} | COMMON
    for params in (common, common | varied, common | {"quota": 0.5}):
        centres = {"error": 0.01, "throttled": 1.0, "stall": 0.08}
        run.cases.append(result(run, "cpu-quota", params, centres))
    found = chapters_of([run])[0]
    (panel,) = (p for p in panels_of(found) if p.title.startswith("error: "))
    ax = Figure().add_subplot()
    panel.draw(ax)
    assert len(ax.get_yticks()) == 2


def test_many_columns_are_cut_by_the_number_of_threads() -> None:
    run = a_run({"cpu-quota": RECORD})
    for threads in (1, 2):
        for quota in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5):
            centres = {"error": 0.01, "throttled": 1.0, "stall": 0.08}
            params = COMMON | {"quota": quota, "threads": threads}
            run.cases.append(result(run, "cpu-quota", params, centres))
    titles = [panel.title for panel in cpu_surface.surface_panels(chapters_of([run])[0])]
    assert [title.rpartition("(")[2] for title in titles] == ["1 thread)", "2 threads)"]


def test_it_can_be_put_on_the_page() -> None:
    run = a_run({"cpu-quota": QUOTA}, environments=[environment(**TICKING)])
    add_quota(run)
    for number, panel in enumerate(panels_of(chapters_of([run])[0])):
        assert inline(panel, f"p{number}").startswith("<svg")
