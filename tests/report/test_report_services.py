"""How the report says what services cost: fits, crossings, and the lines of the control path."""

from __future__ import annotations

from dataclasses import replace

import pytest
from synthetic_runs import ROUTING, a_run, result

from cnbench.analysis.chapters import chapters_of
from cnbench.analysis.curves.service_growth import (
    costs_of,
    sentences_of_costs,
    sentences_of_crossings,
)
from cnbench.analysis.curves.service_routing import lines_of
from cnbench.core.metric import Metric
from cnbench.report.plots import panels_of

SIZES = (1, 100, 1000)
FIXED = {"iptables": 20e-6, "nftables": 21e-6}
SLOPES = {"iptables": 20e-9, "nftables": 1e-12}


def chapter(controls=True):
    """Two modes that grow by so much a service, and the way over a node without rules."""
    run = a_run({"service-routing": ROUTING})
    for services in SIZES:
        for mode, slope in SLOPES.items():
            costs = {"last": FIXED[mode] + slope * services}
            if controls:
                costs["bare"] = 10e-6
            for position, cost in costs.items():
                params = {"mode": mode, "services": services, "position": position}
                case = result(run, "service-routing", params, {"connect": cost}, noise=1e-4)
                run.cases.append(case)
    return chapters_of([run])[0]


def last_lines(found):
    return [line for line in lines_of(found.ok) if line.position == "last"]


def test_what_a_service_adds_is_fitted_against_a_node_without_rules():
    costs = {cost.line.mode: cost for cost in costs_of(lines_of(chapter().ok))}
    assert costs["iptables"].sizes == SIZES
    assert costs["iptables"].per_service.estimate == pytest.approx(20e-9, rel=0.02)
    assert costs["iptables"].per_service.low > 0
    assert abs(costs["nftables"].per_service.estimate) < 0.2e-9
    sentences = sentences_of_costs(lines_of(chapter().ok))
    assert "iptables: 20 ns a service" in sentences[0]


def test_without_the_control_nothing_is_said_against_it():
    assert costs_of(lines_of(chapter(controls=False).ok)) == []


def test_lines_that_cross_say_where():
    (sentence,) = sentences_of_crossings(last_lines(chapter()))
    assert sentence.startswith("iptables and nftables cost the same at 50 services (95 % interval")


def test_the_first_figure_has_one_line_a_mode():
    first, by_position, *_ = panels_of(chapter())
    assert first.title == "Time to connect to the last service, against services"
    assert "Grey: over a node without rules." in first.caption
    assert by_position.title == "Time to connect, by the service's position"


def test_programming_is_a_line_a_mode():
    sync = Metric("sync", "s", "lower", "ratio", "time to program")
    run = a_run({"service-routing": replace(ROUTING, metrics=(*ROUTING.metrics, sync))})
    for services in SIZES:
        for mode in SLOPES:
            params = {"mode": mode, "services": services, "position": "first"}
            costs = {"connect": 1e-5, "sync": 1e-3 * services}
            run.cases.append(result(run, "service-routing", params, costs))
    (panel,) = (p for p in panels_of(chapters_of([run])[0]) if p.title.startswith("sync: "))
    assert "iptables grows with exponent 1.00" in panel.caption
