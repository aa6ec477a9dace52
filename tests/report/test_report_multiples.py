"""Small multiples before a long summary: a card a setting, all variants in each, on one scale."""

from __future__ import annotations

from itertools import product

from synthetic_runs import POD, a_run, fingerprint, result

from cnbench.analysis.chapters import chapters_of
from cnbench.report.html import render
from cnbench.report.summary import overviews_of

BACKENDS = ("host-gw", "vxlan", "ipip")


def pods(flows: int) -> list:
    run = a_run({"pods": POD}, environments=[fingerprint("host", "wall", "6.1.0")])
    for backend, count in product(BACKENDS, range(1, flows + 1)):
        values = {"throughput": 1e9 / count, "cpu_cost": 1e-9 * count}
        run.cases.append(result(run, "pods", {"backend": backend, "flows": count}, values))
    return [run]


def test_a_long_summary_has_a_card_a_setting_with_a_line_a_variant() -> None:
    ((overview,),) = (overviews_of(chapter) for chapter in chapters_of(pods(9)))
    assert [card.title for card in overview.cards] == [f"flows {n}" for n in range(1, 10)]
    for card in overview.cards:
        assert [name for name, _ in card.lines] == list(BACKENDS)
    shown = [line for card in overview.cards for _, line in card.lines]
    assert sorted(map(id, shown)) == sorted(map(id, overview.lines))


def test_a_short_summary_is_seen_at_a_glance_without() -> None:
    ((overview,),) = (overviews_of(chapter) for chapter in chapters_of(pods(3)))
    assert overview.cards == ()


def test_the_cards_come_before_the_table() -> None:
    page = render(pods(9))
    assert page.index('class="multiples"') < page.index('<table class="cards">')
