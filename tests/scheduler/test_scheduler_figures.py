"""The figures of scheduler-scoring: lines with their exponents, and the parts of a decision."""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest
from matplotlib.figure import Figure

from cnbench.analysis.chapters import Chapter, chapters_of
from cnbench.analysis.curves.scheduler_scoring import lines_of
from cnbench.core.case import Case
from cnbench.core.parameter import Value
from cnbench.core.proof import Proof, true
from cnbench.core.run import CaseResult, ExperimentRecord, Request, Run, Sample
from cnbench.experiments.registry import experiment_called
from cnbench.report.plots import panels_of
from cnbench.report.plots.scheduler_parts import bars_of
from cnbench.report.svg import inline, series

EXPERIMENT = experiment_called("scheduler-scoring")
DEFAULTS: dict[str, Value] = {
    "trace": "none", "plugin": "all", "extension_point": "both", "nodes": 100, "pods": 10,
    "scored": "all", "shape": "known",
}  # fmt: skip


def case(cost: float, **params: Value) -> CaseResult:
    rng = random.Random(str(params))
    samples = tuple(
        Sample(block, 0, {"cost": value, "per_node": value / 100}, block, 0.1)
        for block in range(12)
        if (value := cost * rng.uniform(0.99, 1.01))
    )
    point = Case(EXPERIMENT.name, DEFAULTS | params)
    return CaseResult(point, 0, "ok", samples=samples, proof=Proof((true("made up", "yes", True),)))


def chapter(*cases: CaseResult) -> Chapter:
    record = ExperimentRecord(
        EXPERIMENT.question, EXPERIMENT.variant, EXPERIMENT.metrics,
        {parameter.name: parameter.unit for parameter in EXPERIMENT.parameters},
    )  # fmt: skip
    request = Request((EXPERIMENT.name,), False, {}, "host", "wall", None, 1)
    run = Run("20260101-000000-0000", "", "0", request, {EXPERIMENT.name: record})
    run.cases = list(cases)
    (found,) = chapters_of([run])
    return found


def a_cluster(nodes: int, costs: Mapping[tuple[str, str], float]) -> list[CaseResult]:
    return [
        case(cost, plugin=plugin, extension_point=point, nodes=nodes)
        for (plugin, point), cost in costs.items()
    ]


PARTS = {
    ("all", "both"): 100e-6,
    ("NodeAffinity", "filter"): 10e-6,
    ("NodeResourcesFit", "filter"): 10e-6,
    ("NodeAffinity", "score"): 20e-6,
    ("SelectorSpread", "score"): 30e-6,
}


def test_the_exponent_is_the_one_the_costs_were_made_with() -> None:
    sizes = (100, 1000, 5000)
    cases = [case(1e-6 * nodes**0.5, plugin="all", nodes=nodes) for nodes in sizes]
    flat = [case(3e-6, plugin="NodeAffinity", extension_point="score", nodes=n) for n in sizes]
    panel, _ = panels_of(chapter(*cases, *flat))
    assert "whole decision 0.50 (0." in panel.caption
    (line,) = [one for one in lines_of(chapter(*flat).ok) if one.plugin == "NodeAffinity"]
    assert line.law is not None
    assert line.law.exponent.estimate == pytest.approx(0, abs=0.01)


def test_a_bent_line_is_no_power_law() -> None:
    costs = {100: 1e-6, 1000: 1e-6, 10_000: 1e-4}
    (panel,) = panels_of(chapter(*(case(cost, nodes=nodes) for nodes, cost in costs.items())))
    assert "no power law: a median lies" in panel.caption


def test_two_sizes_have_no_exponent() -> None:
    (panel,) = panels_of(chapter(case(1e-6), case(2e-6, nodes=1000)))
    assert "to the power of" not in panel.caption


def test_parts_are_shares_of_the_decision_and_the_rest_is_what_they_leave() -> None:
    bars = bars_of(lines_of(chapter(*a_cluster(100, PARTS), *a_cluster(1000, PARTS)).ok))
    assert [bar.label.split("\n")[0] for bar in bars] == ["100 nodes", "1\u202f000 nodes"]
    for bar in bars:
        # SelectorSpread is no part: it does nothing for the pod of the decision.
        assert bar.parts == pytest.approx(
            {"filters": 0.2, "NodeAffinity": 0.2, "rest": 0.6}, abs=0.01
        )


def test_a_size_without_all_parts_has_no_bar() -> None:
    lacking = {key: cost for key, cost in PARTS.items() if key[1] != "filter"}
    bars = bars_of(lines_of(chapter(*a_cluster(100, PARTS), *a_cluster(1000, lacking)).ok))
    assert [bar.label.split("\n")[0] for bar in bars] == ["100 nodes"]


def test_every_setting_has_its_panels_and_a_trace_the_generic_ones() -> None:
    cases = a_cluster(100, PARTS) + a_cluster(1000, PARTS)
    cases += [case(5e-5, scored="adaptive"), case(9e-5, shape="new")]
    cases.append(case(1e-4, trace="a folder", nodes=0, pods=0, shape="mixed"))
    panels = panels_of(chapter(*cases))
    assert [panel.title for panel in panels] == [
        "Filters against nodes (10 pods a node, all nodes scored)",
        "Scores against nodes (10 pods a node, all nodes scored)",
        "Where a decision's time goes (10 pods a node, all nodes scored)",
        "Scores against nodes (10 pods a node, adaptive share of nodes scored)",
        "cost: time for one pod; in a trace the mean over its pods",
        "per_node: that time over the nodes it is about",
    ]
    for number, panel in enumerate(panels):
        assert "<svg" in inline(panel, f"p{number}")


def test_a_trace_alone_is_shown() -> None:
    panels = panels_of(chapter(case(1e-4, trace="a folder", nodes=0, pods=0, shape="mixed")))
    assert len(panels) == 2
    panels[0].draw(Figure().add_subplot())


def test_a_plugin_has_one_colour_in_all_figures() -> None:
    both = {
        ("all", "both"): 100e-6,
        ("NodeResourcesFit", "filter"): 5e-6,
        ("TaintToleration", "filter"): 6e-6,
        ("InterPodAffinity", "score"): 20e-6,
        ("TaintToleration", "score"): 7e-6,
    }
    panels = panels_of(chapter(*a_cluster(100, both), *a_cluster(1000, both)))
    colours: dict[str, set[str]] = {}
    for panel in panels:
        axes = Figure().add_subplot()
        panel.draw(axes)
        for text in axes.texts:  # the label at a line's end has its colour
            colours.setdefault(text.get_text(), set()).add(str(text.get_color()))
        for entry in panel.key:
            if entry.series is not None:
                colours.setdefault(entry.label, set()).add(series(entry.series))
    assert len(colours["TaintToleration"]) == 1
    assert colours["TaintToleration"] != colours["InterPodAffinity"]
