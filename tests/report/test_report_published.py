"""Published figures: found beside the right results, and judged by where ours are from."""

from __future__ import annotations

import dataclasses

import pytest
from synthetic_runs import POD, QUOTA, a_run, add_pods, fingerprint, result, whole_run

from cnbench.analysis import published
from cnbench.analysis.chapters import Chapter, chapters_of
from cnbench.analysis.published import all_published
from cnbench.analysis.published.beside import beside
from cnbench.analysis.published.comparability import Comparable
from cnbench.analysis.published.figure import RATIO, Figure
from cnbench.analysis.published.ours import difference_of, ratio_apart, ratio_of, sum_of, value_of
from cnbench.core.units import known_units
from cnbench.experiments.registry import names
from cnbench.report import html

GUEST = fingerprint("guest", "instructions", "6.12")


def pods(**more: object) -> Chapter:
    run = a_run({"pod-network": POD}, **more)  # type: ignore[arg-type]
    add_pods(run)
    return chapters_of([run])[0]


def figure(**more: object) -> Figure:
    plain = Figure(
        "pod-network",
        "vxlan over host-gw",
        "a network card",
        0.87,
        0.87,
        RATIO,
        "somebody, 2024",
        ratio_of("throughput", {"backend": "vxlan"}, {"backend": "host-gw"}),
    )
    return dataclasses.replace(plain, **more)  # type: ignore[arg-type]


def test_a_quotient_is_taken_where_all_else_is_equal() -> None:
    found = list(beside(figure(), pods()))
    # The made-up runs have 0.8 at one flow and at four.
    assert [one.ours.setting for one in found] == ["flows 1", "flows 4"]
    for one in found:
        assert one.ours.interval.estimate == pytest.approx(0.8, rel=0.02)
        assert one.ratio == pytest.approx((0.8 / 0.87, 0.8 / 0.87), rel=0.02)
        assert one.comparability.verdict is Comparable.FULLY
        assert not one.within


def test_a_sum_is_as_wide_as_its_parts_together() -> None:
    alone = value_of("throughput", backend="vxlan", flows=1)
    twice = sum_of(("throughput", "throughput"), backend="vxlan", flows=1)
    (one,) = beside(figure(low=1e8, high=1e9, unit="B/s", ours=alone), pods())
    (two,) = beside(figure(low=1e8, high=1e9, unit="B/s", ours=twice), pods())
    assert two.ours.interval.estimate == pytest.approx(2 * one.ours.interval.estimate)
    assert two.ours.interval.low == pytest.approx(2 * one.ours.interval.low)
    missing = sum_of(("throughput", "made-up"), backend="vxlan")
    assert not list(beside(figure(ours=missing), pods()))


def test_a_difference_is_taken_in_the_unit_of_the_metric() -> None:
    less = difference_of("throughput", {"backend": "host-gw"}, {"backend": "vxlan"}, flows=1)
    (one,) = beside(figure(low=1e8, high=1e9, unit="B/s", ours=less), pods())
    # A fifth of what host-gw has at one flow.
    assert one.ours.interval.estimate == pytest.approx(0.2 * 1.2e9 * 1.1, rel=0.1)
    assert one.ours.unit == "B/s"
    assert one.within


def test_an_error_that_may_be_none_has_no_quotient() -> None:
    run = a_run({"cpu-quota": QUOTA})
    params = {"controller": "v2", "quota": 0.01, "period": 0.1, "threads": 1}
    for centre, quota in ((0.0, 0.01), (0.1, 0.02)):
        values = {"error": centre, "throttled": 1.0, "stall": 0.1}
        run.cases.append(result(run, "cpu-quota", params | {"quota": quota}, values))
    error = figure(
        experiment="cpu-quota", low=0.03, high=0.05, unit="1", ours=value_of("error", threads=1)
    )
    none, some = beside(error, chapters_of([run])[0])
    assert none.ratio is None
    assert some.ratio == pytest.approx((2, 10 / 3), rel=0.2)


def test_a_quotient_needs_shared_blocks() -> None:
    chapter = pods()
    apart = dataclasses.replace(
        chapter,
        measured=tuple(
            dataclasses.replace(one, result=dataclasses.replace(one.result, group=number))
            for number, one in enumerate(chapter.measured)
        ),
    )
    assert list(beside(figure(), apart)) == []


def test_a_quotient_of_what_no_block_shares_is_taken_inside_a_run() -> None:
    flows = ratio_apart("throughput", {"flows": 4}, {"flows": 1}, backend="vxlan")
    (one,) = beside(figure(ours=flows), pods())
    assert one.ours.setting == ""
    assert one.ours.interval.low <= one.ours.interval.estimate <= one.ours.interval.high


def test_parameters_choose_the_cases() -> None:
    of_one_flow = ratio_of("throughput", {"backend": "ipip"}, {"backend": "host-gw"}, flows=1)
    found = list(beside(figure(ours=of_one_flow), pods()))
    assert [one.ours.setting for one in found] == [""]
    assert found[0].ours.interval.estimate == pytest.approx(0.85, rel=0.02)


def test_values_stand_beside_in_their_unit() -> None:
    absolute = figure(
        low=1e9, high=2e9, unit="B/s", ours=value_of("throughput", backend="host-gw", flows=1)
    )
    (one,) = beside(absolute, pods())
    assert one.within
    assert one.published_text == "8 – 16 Gbit/s"
    low, high = one.ratio or (0, 0)
    assert low == pytest.approx(high / 2)
    # The other figure is a machine's, so at most its order of magnitude is comparable.
    assert one.comparability.verdict is Comparable.IN_PART
    assert one.comparability.reasons == ("another machine",)


def test_instructions_are_not_compared_with_times() -> None:
    absolute = figure(low=1e9, high=1e9, unit="B/s", ours=value_of("throughput", flows=1))
    for one in beside(absolute, pods(environments=[GUEST])):
        assert one.comparability.verdict is Comparable.NOT
        assert (one.ratio, one.within, one.ratio_text) == (None, None, "–")


def test_a_quotient_of_instructions_is_comparable_in_part() -> None:
    for one in beside(figure(), pods(environments=[GUEST])):
        assert one.comparability.verdict is Comparable.IN_PART
        assert "instructions" in one.comparability.reasons[0]


def test_an_emulated_machine_has_no_times_to_compare() -> None:
    guest = fingerprint("guest", "wall", "6.12")
    absolute = figure(low=1e9, high=1e9, unit="B/s", ours=value_of("throughput", flows=1))
    verdicts = {one.comparability.verdict for one in beside(absolute, pods(environments=[guest]))}
    assert verdicts == {Comparable.NOT}


def test_what_holds_on_any_machine_is_comparable_on_any() -> None:
    everywhere = figure(on_any_machine=True)
    verdicts = {one.comparability.verdict for one in beside(everywhere, pods(environments=[GUEST]))}
    assert verdicts == {Comparable.FULLY}


def test_what_it_is_unlike_is_said() -> None:
    for one in beside(figure(unlike=("ours has no network card",)), pods()):
        assert one.comparability.verdict is Comparable.IN_PART
        assert one.as_json()["reasons"] == ["ours has no network card"]


def test_a_figure_is_a_positive_range() -> None:
    with pytest.raises(ValueError, match="range above zero"):
        figure(low=2.0, high=1.0)


@pytest.mark.parametrize("one", all_published(), ids=lambda one: one.what)
def test_every_figure_names_its_source_and_an_experiment_of_ours(one: Figure) -> None:
    assert one.experiment in names()
    assert one.source
    assert one.conditions
    assert one.unit in known_units()


def test_the_page_shows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "all_published", lambda: (figure(source="<b>somebody</b>"),))
    page = html.render([whole_run()])
    assert page.count("vxlan over host-gw") == 2
    assert "&lt;b&gt;somebody&lt;/b&gt;" in page
    assert page.count("<b>comparable</b>") == 2
