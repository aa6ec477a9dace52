"""The curves of copy-up: what they say of costs that are known, and how they are drawn."""

from __future__ import annotations

import dataclasses
import re

import pytest
from matplotlib.figure import Figure
from synthetic_runs import a_run, result

from cnbench.analysis.chapters import Chapter, chapters_of
from cnbench.analysis.curves.copy_up import Curve, curves_of
from cnbench.core.metric import Metric
from cnbench.core.proof import Check, Proof
from cnbench.core.run import ExperimentRecord, Run
from cnbench.experiments.copy_up import EXPERIMENT
from cnbench.report.plots import copy_up, panels_of
from cnbench.report.svg import inline

MIB = 2**20
SIZES = (0, 4096, MIB, 64 * MIB)
RECORD = ExperimentRecord(
    question=EXPERIMENT.question,
    variant="filesystem",
    metrics=tuple(Metric(m.name, m.unit, m.better, m.scale, m.summary) for m in EXPERIMENT.metrics),
    parameters={p.name: p.unit for p in EXPERIMENT.parameters},
)
COMMON = EXPERIMENT.grid(full=False, given={"trigger": ("open",)})[0]
WAYS = {"ext4": "copy", "xfs": "clone"}


def add(
    run: Run, filesystem: str, size: int, latency: float, way: str = "", **more: object
) -> None:
    plain = 1e-3 + size / (2**30)
    case = result(
        run,
        "copy-up",
        COMMON | {"filesystem": filesystem, "size": size} | more,  # type: ignore[arg-type]
        {
            "latency": latency,
            "overhead": latency / plain,
            "copy": plain,
            "again": latency / 10,
            "written": float(size),
        },
    )
    way = way or WAYS[filesystem]
    proof = Proof((Check("the way of the data", "one", way, True),))
    run.cases.append(dataclasses.replace(case, proof=proof))


def chapter(sync: float = 2e-3) -> Chapter:
    """ext4 copies a GiB in a second, and xfs shares; with data ext4 syncs for ``sync`` seconds."""
    run = a_run({"copy-up": RECORD})
    for size in SIZES:
        add(run, "ext4", size, 1e-4 + (sync if size else 0) + size / 2**30)
        add(run, "xfs", size, 1e-4)
        add(run, "ext4", size, 1e-4 + size / 2**30, options="volatile")
    return chapters_of([run])[0]


def curve(filesystem: str, options: str = "default") -> Curve:
    found = curves_of(chapter(), "size")
    return next(
        one
        for setting, curves in found.items()
        for one in curves
        if one.filesystem == filesystem and setting["options"] == options
    )


def test_what_a_byte_costs_is_found_with_its_interval() -> None:
    said = curve("ext4").in_words()
    fixed, each, rate = re.match(
        r"ext4: ([\d.]+) ms \(.*\) and ([\d.]+) µs \(.*\) a MiB, ([\d.]+ ..B/s) \(", said
    ).groups()  # type: ignore[union-attr]
    assert float(fixed) == pytest.approx(2.1, rel=0.02)
    assert float(each) == pytest.approx(1e6 / 1024, rel=0.05)
    number, unit = rate.split()
    assert float(number) / {"MiB/s": 1024, "GiB/s": 1}[unit] == pytest.approx(1, abs=0.01)
    assert "data copied" in said


def test_an_empty_file_is_not_on_the_line() -> None:
    assert "an empty file 100 µs" in curve("ext4").in_words().replace("99.9", "100")


def test_shared_extents_are_said_to_make_the_size_matter_nothing() -> None:
    assert curve("xfs").is_flat
    assert not curve("ext4").is_flat
    assert "whatever the size" in curve("xfs").in_words()
    assert "extents shared (reflink)" in curve("xfs").in_words()


def test_what_volatile_leaves_out_is_the_sync() -> None:
    (caption,) = (p.caption for p in panels_of(chapter()) if "volatile leaves out" in p.caption)
    sync = re.search(r"leaves out, is ext4: ([\d.]+) ms", caption)
    assert sync
    assert float(sync[1]) == pytest.approx(2, rel=0.05)


def test_few_sizes_are_not_fitted() -> None:
    run = a_run({"copy-up": RECORD})
    for size in (0, 4096, MIB):
        add(run, "ext4", size, 1e-3)
    (cost, _) = panels_of(chapters_of([run])[0])
    assert " a MiB" not in cost.caption


def test_a_size_alone_is_shown_by_the_generic_figures() -> None:
    run = a_run({"copy-up": RECORD})
    add(run, "ext4", 4096, 1e-3)
    add(run, "xfs", 4096, 1e-3)
    titles = [panel.title for panel in panels_of(chapters_of([run])[0])]
    assert [title.partition(":")[0] for title in titles] == [
        "latency", "overhead", "copy", "again", "written",
    ]  # fmt: skip


@pytest.mark.parametrize(("along", "name"), [("layers", "layer"), ("depth", "folder")])
def test_what_a_layer_or_a_folder_costs_has_a_curve_of_its_own(along: str, name: str) -> None:
    run = a_run({"copy-up": RECORD})
    for value in (1, 10, 100):
        add(run, "ext4", 4096, 1e-4 + value * 1e-6, **{along: value})
    (panel,) = panels_of(chapters_of([run])[0])
    each = re.search(rf"and ([\d.]+) (µs|ns) \(.*\) a {name}", panel.caption)
    assert each
    assert float(each[1]) * {"µs": 1, "ns": 1e-3}[each[2]] == pytest.approx(1, rel=0.2)


def test_an_empty_file_has_a_place_on_the_logarithmic_axis() -> None:
    panel = copy_up.panels(chapter())[0]
    ax = Figure().add_subplot()
    panel.draw(ax)
    assert next(label.get_text() for label in ax.get_xticklabels()) == "0B"
    assert inline(panel, "p").startswith("<svg")
