"""The page: complete, safe, self-contained, and the same for the same runs."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from synthetic_runs import (
    POD,
    QUOTA,
    ROUTING,
    a_run,
    add_pods,
    add_routing,
    fingerprint,
    result,
    routing_run,
    unsupported,
    whole_run,
)

from cnbench.core.errors import CnbenchError, UsageError
from cnbench.core.metric import Metric
from cnbench.core.proof import Check, Proof
from cnbench.core.run import ExperimentRecord
from cnbench.report import html

VOID = {"meta", "link", "br", "img", "input", "hr", "wbr"}
HOSTILE = (
    "</style><script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{7*7}}$x^2$ url(#a) font: 9"
)


class Page(HTMLParser):
    """The page's elements and text; fails on tags that do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    @property
    def ids(self) -> list[str]:
        return [found for _, attrs in self.tags if (found := attrs.get("id"))]


def test_answers_come_first_then_the_summary_and_a_section_for_each_experiment() -> None:
    page = Page(html.render([whole_run()]))
    headings = re.findall(r"<h2>(.*?)</h2>", html.render([whole_run()]))
    assert headings == [
        "Answers", "Summary", "What everybody says", "cpu-quota", "service-routing", "pod-network",
    ]  # fmt: skip
    assert page.count("h1") == 1
    assert "46 of 48 cases measured" in page.text


def test_every_measured_case_is_in_the_summary_the_table_and_the_raw_samples() -> None:
    run = routing_run()
    text = html.render([run])
    ok = [case for case in run.cases if case.status == "ok"]
    summary, figures = (part.partition("</table>")[0] for part in text.split("<table")[1:3])
    for table in (summary, figures):
        rows = re.findall(r"<tr>(.*?)</tr>", table.partition("<tbody>")[2], re.S)
        params = [tuple(re.findall(r'class="param"[^>]*>(.*?)<', row)) for row in rows]
        assert params == [
            tuple(str(case.case.params[name]) for name in ("mode", "services", "position"))
            for case in ok
        ]
    assert text.count('<div class="raw">') == len(ok)


def test_a_value_is_shown_with_its_interval_noise_and_proof() -> None:
    run = a_run({"pod-network": POD})
    run.cases.append(
        result(
            run,
            "pod-network",
            {"backend": "vxlan", "flows": 1},
            {"throughput": 1.25e9, "cpu_cost": 1e-9},
            noise=0.0,
            twin=True,
        )
    )
    text = Page(html.render([run])).text
    assert "10 Gbit/s" in text
    assert "10 – 10 Gbit/s" in text
    assert "± 0 %" in text
    assert "took the path it claims: 200" in text


def test_the_instruction_clock_shows_instructions_and_never_seconds() -> None:
    guest = fingerprint("guest", "instructions", "6.12.0")
    run = a_run({"service-routing": ROUTING}, environments=[guest])
    add_routing(run, environment=guest)
    text = Page(html.render([run])).text
    assert "k instr" in text
    assert "on the instructions clock" in text
    assert "µs" not in text


def test_disturbed_and_replaced_samples_are_marked_and_explained() -> None:
    text = Page(html.render([routing_run()])).text
    assert "block 1, used: the hypervisor took 5.0% of the CPU time" in text
    assert "block 2, replaced: the hypervisor took 5.0% of the CPU time" in text
    assert re.search(r"\d\* ", text)
    assert re.search(r"\(\d[\d.]*\)", text)
    assert "connect (A′), µs" in text


def test_missing_results_are_listed_by_reason_with_what_to_do() -> None:
    run = routing_run()
    failed = dataclasses.replace(
        unsupported(run, "service-routing", {"mode": "x", "services": 2, "position": "first"}),
        status="failed",
        reason="`nft` exited with 1",
        remedy="",
        stderr="Error: no such table",
        exit_status=1,
    )
    run.cases.append(failed)
    text = Page(html.render([run])).text
    assert "2 cases of service-routing unsupported here: this kernel has no IPVS" in text
    assert "use the guest lab: --lab guest" in text
    assert "1 case of service-routing failed: `nft` exited with 1" in text
    assert "exit status 1 Error: no such table" in text


def test_a_run_with_nothing_ok_says_why() -> None:
    run = a_run({"service-routing": ROUTING})
    run.cases.append(
        unsupported(run, "service-routing", {"mode": "ipvs", "services": 1, "position": "first"})
    )
    page = Page(html.render([run]))
    assert "Nothing could be measured" in page.text
    assert "this kernel has no IPVS" in page.text
    assert page.count("svg") == 0


def test_a_run_without_cases_still_makes_a_page() -> None:
    assert "the run has no cases" in Page(html.render([a_run({})])).text


def test_a_run_that_was_cut_short_says_how_to_go_on() -> None:
    run = routing_run()
    run.finished = ""
    assert f"cnbench run --resume {run.id}" in Page(html.render([run])).text


def test_no_runs_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        html.render([])


def test_nothing_is_loaded_from_anywhere() -> None:
    text = html.render([whole_run(), routing_run("6.12.0", "20260102-000000-0001")])
    page = Page(text)
    assert "http:" not in text
    assert "https:" not in text
    assert "@import" not in text
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "img", "iframe", "object"})
    references = [
        value
        for _, attrs in page.tags
        for name, value in attrs.items()
        if name in ("src", "href", "xlink:href")
    ]
    assert all(value and value.startswith("#") for value in references)


def test_every_reference_inside_the_page_has_one_target() -> None:
    text = html.render([whole_run(), whole_run("6.12.0", "20260102-000000-0001")])
    page = Page(text)
    assert len(page.ids) == len(set(page.ids))
    used = {attrs["href"] for _, attrs in page.tags if attrs.get("href")}
    used |= {f"#{name}" for name in re.findall(r"url\(#([^)]+)\)", text)}
    assert {name[1:] for name in used if name} <= set(page.ids)


def test_equal_runs_give_equal_pages() -> None:
    assert html.render([whole_run()]) == html.render([whole_run()])


def test_plots_take_their_colours_from_the_page() -> None:
    for svg in re.findall(r"<svg.*?</svg>", html.render([whole_run()]), re.S):
        assert "var(--s1)" in svg
        assert not re.search(r"#[0-9a-f]{6}\b", svg)


@pytest.mark.parametrize("name", ["service-routing", "cpu-quota", HOSTILE])
def test_nothing_from_a_run_file_becomes_markup(name: str) -> None:
    metric = dataclasses.replace(ROUTING.metrics[0], name=HOSTILE, summary=HOSTILE)
    record = ExperimentRecord(HOSTILE, HOSTILE, (metric,), {HOSTILE: HOSTILE, "mode": ""})
    place = fingerprint("host", "wall", HOSTILE, **{HOSTILE: HOSTILE})
    run = a_run({name: record}, id=HOSTILE, environments=[place])
    for turn in range(3):
        params = {HOSTILE: turn, "mode": f"{HOSTILE}{turn}"}
        made = result(run, name, params, {HOSTILE: 1e-3}, twin=not turn)
        samples = tuple(dataclasses.replace(s, disturbances=(HOSTILE,)) for s in made.samples)
        proof = Proof((Check(HOSTILE, HOSTILE, HOSTILE + "!", True),))
        run.cases.append(dataclasses.replace(made, samples=samples, proof=proof, stopped=HOSTILE))
    run.cases.append(unsupported(run, name, {HOSTILE: 9, "mode": "m"}, reason=HOSTILE))
    run.started = HOSTILE
    text = html.render([run, dataclasses.replace(run, id="other")])
    page = Page(text)
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img"})
    assert not any(attr.startswith("on") for _, attrs in page.tags for attr in attrs)
    assert text.count("</style>") == 1
    assert "{{7*7}}" in page.text
    assert "49$" not in page.text


def test_hostile_values_in_figures_of_their_own_stay_text() -> None:
    run = a_run({"service-routing": ROUTING})
    for services in (1, 100, 1000):
        for position in ("last", "none", HOSTILE):
            params = {"mode": HOSTILE, "services": services, "endpoints": 1, "position": position}
            run.cases.append(result(run, "service-routing", params, {"connect": 1e-5}))
    page = Page(html.render([run]))
    assert page.count("svg") == 3
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img"})
    assert page.text.count("</style><script") > 2


def test_several_runs_stand_side_by_side_and_are_compared_where_they_can_be() -> None:
    first = routing_run()
    slower = routing_run(id="20260102-000000-0001", slower=1.2)
    newer = routing_run("6.12.0", id="20260103-000000-0002")
    text = Page(html.render([first, slower, newer])).text
    assert all(run.id in text for run in (first, slower, newer))
    assert "B against A" in text
    assert "worse" in text
    assert "C against A Not compared: their environments differ" in text
    assert "kernel 6.1.0 6.12.0" in text


def test_runs_in_different_labs_are_never_compared() -> None:
    guest = fingerprint("guest", "wall", "6.1.0")
    other = a_run({"service-routing": ROUTING}, id="20260102-000000-0001", environments=[guest])
    add_routing(other, environment=guest)
    text = Page(html.render([routing_run(), other])).text
    assert "B against A Not compared: their environments differ" in text
    assert "lab host guest" in text
    assert "worse" not in text


def test_an_experiment_without_figures_of_its_own_gets_a_panel_for_each_metric() -> None:
    run = a_run({"pod-network": POD})
    add_pods(run)
    assert Page(html.render([run])).count("svg") == len(POD.metrics)


def test_figures_give_way_to_generic_ones_where_a_run_lacks_what_they_need() -> None:
    record = dataclasses.replace(QUOTA, parameters={"quota": "1"})
    run = a_run({"cpu-quota": record})
    centres = {"error": 0.01, "throttled": 0.5, "stall": 0.1}
    run.cases += [result(run, "cpu-quota", {"quota": quota}, centres) for quota in (0.1, 0.2)]
    page = Page(html.render([run]))
    assert page.count("svg") == len(QUOTA.metrics)
    assert "quota 20%" in page.text


@pytest.mark.parametrize("blocks", [3, 5])
def test_too_few_blocks_have_no_bound_and_no_invented_one(blocks: int) -> None:
    run = a_run({"pod-network": POD})
    params = {"backend": "vxlan", "flows": 1}
    centres = {"throughput": 1e9, "cpu_cost": 1e-9}
    run.cases.append(result(run, "pod-network", params, centres, blocks=blocks, twin=True))
    text = Page(html.render([run])).text
    assert "no bound" in text
    assert "too few blocks to bound it" in text
    assert "inf" not in text.split()


def test_a_thousand_cases_stay_below_five_megabytes() -> None:
    metric = Metric("latency", "s", "lower", "ratio", "time")
    run = a_run({"many": ExperimentRecord("Many?", "v", (metric,), {"v": "", "size": "B"})})
    one = result(run, "many", {"v": "a", "size": 1}, {"latency": 1e-3}, blocks=100)
    for number in range(1000):
        case = dataclasses.replace(one.case, params={"v": "ab"[number % 2], "size": number})
        run.cases.append(dataclasses.replace(one, case=case, group=number // 2))
    text = html.render([run])
    assert len(text.encode()) < 5e6
    assert Page(text).text.count("group ") >= 1000


def test_writing_replaces_the_page_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "new" / "index.html"
    html.write([routing_run()], path)
    html.write([routing_run()], path)
    assert path.read_text(encoding="utf-8") == html.render([routing_run()])
    assert list(path.parent.iterdir()) == [path]


def test_a_page_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CnbenchError, match="could not be written") as error:
        html.write([routing_run()], tmp_path / "file" / "index.html")
    assert error.value.remedy


def test_a_failed_write_keeps_the_old_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "index.html"
    path.write_text("old")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(CnbenchError, match="No space left"):
        html.write([routing_run()], path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_cases_that_measure_something_else_have_tables_of_their_own() -> None:
    sync = Metric("sync", "s", "lower", "ratio", "time to program all services")
    record = dataclasses.replace(
        ROUTING,
        metrics=(*ROUTING.metrics, sync),
        parameters={"mode": "", "measure": "", "services": "", "position": ""},
    )
    run = a_run({"service-routing": record})
    for mode in ("iptables", "nftables"):
        for measure, metric in (("connect", "connect"), ("sync", "sync")):
            params = {"mode": mode, "measure": measure, "services": 100, "position": "first"}
            made = result(run, "service-routing", params, {"connect": 1e-5, "sync": 2.0})
            samples = tuple(
                dataclasses.replace(s, values={metric: s.values[metric]}) for s in made.samples
            )
            run.cases.append(dataclasses.replace(made, samples=samples))
    text = html.render([run])
    page = Page(text)
    assert "sync: time to program all services; lower is better; measure sync" in page.text
    assert "connect: time to connect; lower is better; measure connect" in page.text
    assert text.count("<h3>All figures") == 2
    assert page.count("svg") == 2
    assert '<td class="n">–</td><td class="n">–</td>' not in text
