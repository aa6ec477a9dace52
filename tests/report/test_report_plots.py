"""What the plots say, and how they lay it out."""

from __future__ import annotations

import dataclasses
import math
import re

import pytest
from matplotlib.figure import Figure
from synthetic_runs import (
    POD,
    QUOTA,
    ROUTING,
    a_run,
    add_pods,
    add_quota,
    fingerprint,
    result,
    routing_run,
)

from cnbench.analysis.chapters import chapters_of
from cnbench.report.plots import all_figures, panels_of
from cnbench.report.plots.axes import linear_axis, log_axis, noise_ends, spread_labels
from cnbench.report.svg import Panel, inline


def test_labels_that_have_room_stay_where_they_are() -> None:
    assert spread_labels([0.1, 0.5, 0.9], 0.1) == pytest.approx([0.1, 0.5, 0.9])


def test_labels_that_collide_are_spread_around_their_middle_in_their_order() -> None:
    assert spread_labels([0.5, 0.5, 0.5], 0.1) == pytest.approx([0.4, 0.5, 0.6])
    # 0.52 pushes 0.5 down to 0.46 and itself up to 0.56; 0.9 is far enough away.
    assert spread_labels([0.9, 0.52, 0.5], 0.1) == pytest.approx([0.9, 0.56, 0.46])


def test_no_labels_need_no_place() -> None:
    assert spread_labels([], 0.1) == []


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([1.0, 4.8], [1, 2, 3, 4, 5]),
        ([1.0, 50.0], [1, 2, 5, 10, 20, 50]),
        ([1e-6, 1.0], [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1]),
    ],
)
def test_logarithmic_ticks_are_round(values: list[float], ticks: list[float]) -> None:
    ax = Figure().add_subplot()
    log_axis(ax.yaxis, values, str, "")
    found = [tick for tick in ax.get_yticks() if min(values) <= tick <= max(values)]
    assert found == pytest.approx([tick for tick in ticks if tick <= max(values)])


def test_ticks_of_rates_are_round_in_bits() -> None:
    ax = Figure().add_subplot()
    linear_axis(ax.xaxis, [0.0, 1.25e9], str, "B/s")
    assert list(ax.get_xticks() * 8 / 1e9) == [0, 2.5, 5, 7.5, 10]


def test_one_value_alone_has_an_axis() -> None:
    ax = Figure().add_subplot()
    linear_axis(ax.xaxis, [0.0], str, "1")
    log_axis(ax.yaxis, [3.0], str, "s")
    assert ax.get_xlim()[0] < 0 < ax.get_xlim()[1]
    assert ax.get_ylim()[0] < 3 < ax.get_ylim()[1]


def test_a_share_has_no_tick_above_all_of_it_and_a_constant_has_one():
    ax = Figure().add_subplot()
    percent = "{:.0%}".format
    linear_axis(ax.xaxis, [0.2, 1.0], percent, "1")
    assert percent(max(ax.get_xticks())) == "100%"
    assert min(ax.get_xticks()) >= 0
    linear_axis(ax.xaxis, [0.0, 0.0], percent, "1")
    assert list(map(percent, ax.get_xticks())) == ["0%"]
    linear_axis(ax.xaxis, [0.2, 1.3], percent, "1")  # more than all was used
    assert max(ax.get_xticks()) > 1


@pytest.mark.parametrize("axis", [linear_axis, log_axis])
def test_no_two_ticks_read_the_same(axis):
    ax = Figure().add_subplot()
    axis(ax.xaxis, [117.001, 117.004], "{:.0f}".format, "B")
    labels = [f"{tick:.0f}" for tick in ax.get_xticks()]
    assert len(labels) == len(set(labels))
    assert "117" in labels or axis is log_axis


def test_noise_is_relative_for_ratios_and_absolute_for_shares() -> None:
    run = a_run({"cpu-quota": QUOTA})
    add_quota(run)
    measured = chapters_of([run])[0].ok[0]
    stall, error = measured.row("stall"), measured.row("error")
    low, high = noise_ends(stall)
    assert high / stall.interval.estimate == pytest.approx(1 + stall.noise)
    assert stall.interval.estimate / low == pytest.approx(1 + stall.noise)
    low, high = noise_ends(error)
    assert high - error.interval.estimate == pytest.approx(error.noise)
    assert error.interval.estimate - low == pytest.approx(error.noise)


def test_figures_are_found_by_their_experiment() -> None:
    assert {"cpu-quota", "service-routing"} <= all_figures().keys()


def test_the_cost_of_the_last_service_is_fitted_with_its_interval() -> None:
    by_mode, *_ = panels_of(chapters_of([routing_run()])[0])
    # The made-up cost grows by 20 ns a service in iptables, and not at all in nftables.
    slope = re.search(r"iptables grows with .*?, or by ([\d.]+) ns", by_mode.caption)
    assert slope
    assert float(slope[1]) == pytest.approx(20, rel=0.05)
    assert "95 % interval" in by_mode.caption


def test_two_sizes_are_not_fitted() -> None:
    run = a_run({"service-routing": ROUTING})
    for services in (100, 1000):
        params = {"mode": "iptables", "services": services, "endpoints": 1, "position": "last"}
        run.cases.append(result(run, "service-routing", params, {"connect": 1e-5}))
    assert not [p for p in panels_of(chapters_of([run])[0]) if "exponent" in p.caption]


def test_each_place_has_its_own_panels_on_equal_axes() -> None:
    environments = [fingerprint("host", "wall", kernel) for kernel in ("6.1.0", "6.12.0")]
    run = a_run({"cpu-quota": QUOTA}, environments=environments)
    for environment in environments:
        add_quota(run, environment)
    panels = [p for p in panels_of(chapters_of([run])[0]) if "measured" not in p.title]
    assert [panel.title.rpartition(" ")[2] for panel in panels] == ["(6.1.0)", "(6.12.0)"] * 3
    axes = [Figure().add_subplot() for _ in range(2)]
    for ax, panel in zip(axes, panels[:2], strict=True):
        panel.draw(ax)
    assert axes[0].get_ylim() == axes[1].get_ylim()


def test_every_case_has_a_dot_in_the_generic_figure() -> None:
    run = a_run({"pod-network": POD})
    add_pods(run)
    panel = panels_of(chapters_of([run])[0])[0]
    ax = Figure().add_subplot()
    panel.draw(ax)
    dots = [y for line in ax.lines if line.get_marker() == "o" for y in line.get_ydata()]
    assert len(dots) == len(run.cases)
    assert ax.get_yticklabels()[0].get_text() == "host-gw · flows 1"


def test_ids_of_two_panels_do_not_clash() -> None:
    panel = Panel("t", "c", lambda ax: ax.plot([1, 2], [1, 2], "o"))
    ids = [set(re.findall(r' id="([^"]+)"', inline(panel, name))) for name in ("a", "b")]
    assert ids[0]
    assert ids[0].isdisjoint(ids[1])


def test_an_unbounded_interval_is_drawn_across_and_not_to_infinity() -> None:
    run = a_run({"pod-network": POD})
    centres = {"throughput": 1e9, "cpu_cost": 1e-9}
    params = {"backend": "vxlan", "flows": 1}
    run.cases.append(result(run, "pod-network", params, centres, blocks=3))
    ax = Figure().add_subplot()
    panels_of(chapters_of([run])[0])[0].draw(ax)
    assert all(math.isfinite(limit) for limit in ax.get_xlim())
    assert any(collection.get_linestyle()[0][1] for collection in ax.collections[1:])


def test_pod_networks_costs_stand_over_host_gws_with_offloads_and_without() -> None:
    record = dataclasses.replace(POD, parameters={"backend": "", "offloads": ""})
    run = a_run({"pod-network": record})
    for group, (offloads, times) in enumerate((("on", 1.2), ("off", 1.5))):
        for backend, cost in (("host-gw", 1e-10), ("vxlan", times * 1e-10)):
            centres = {"throughput": 1e9, "cpu_cost": cost}
            params = {"backend": backend, "offloads": offloads}
            run.cases.append(result(run, "pod-network", params, centres, group=group))
    panel, *_ = panels_of(chapters_of([run])[0])
    assert "no nic" in panel.caption.lower()
    assert [entry.label.partition(":")[0] for entry in panel.key] == ["offloads on", "offloads off"]
    ax = Figure().add_subplot()
    panel.draw(ax)
    drawn = [float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() == "o"]
    assert drawn == pytest.approx([1.2, 1.5], rel=0.02)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["vxlan"]
