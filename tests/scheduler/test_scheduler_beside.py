"""cnbench kube-scheduler: a run beside the figures of a page that a server here hands out."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from test_scheduler_figures import a_cluster, case, chapter

from cnbench.analysis.kube_scheduler import ServedBeside, beside, setting_of
from cnbench.analysis.rows import Row
from cnbench.cli.kubernetes import kube_scheduler
from cnbench.cli.main import cli
from cnbench.core.errors import UsageError
from cnbench.scheduler.inputs.kube_scheduler_metrics import parse_metrics

PAGE = """
scheduler_plugin_execution_duration_seconds_sum{extension_point="Filter",plugin="NodeAffinity",status="Success"} 0.003
scheduler_plugin_execution_duration_seconds_count{extension_point="Filter",plugin="NodeAffinity",status="Success"} 2000
scheduler_plugin_execution_duration_seconds_sum{extension_point="Filter",plugin="NodeAffinity",status="Unschedulable"} 0.001
scheduler_plugin_execution_duration_seconds_count{extension_point="Filter",plugin="NodeAffinity",status="Unschedulable"} 2000
scheduler_plugin_execution_duration_seconds_sum{extension_point="Score",plugin="NodeResourcesFit",status="Success"} 0.004
scheduler_plugin_execution_duration_seconds_count{extension_point="Score",plugin="NodeResourcesFit",status="Success"} 2000
scheduler_plugin_execution_duration_seconds_sum{extension_point="PreScore",plugin="InterPodAffinity",status="Success"} 0.5
scheduler_plugin_execution_duration_seconds_count{extension_point="PreScore",plugin="InterPodAffinity",status="Success"} 100
scheduler_plugin_execution_duration_seconds_sum{extension_point="Score",plugin="VolumeBinding",status="Success"} 0
scheduler_plugin_execution_duration_seconds_count{extension_point="Score",plugin="VolumeBinding",status="Success"} 0
scheduler_framework_extension_point_duration_seconds_sum{extension_point="Score",profile="default",status="Success"} 2
scheduler_framework_extension_point_duration_seconds_count{extension_point="Score",profile="default",status="Success"} 1000
scheduler_scheduling_algorithm_duration_seconds_sum 4
scheduler_scheduling_algorithm_duration_seconds_count 1000
scheduler_scheduling_attempt_duration_seconds_sum{profile="default",result="scheduled"} 9
scheduler_scheduling_attempt_duration_seconds_count{profile="default",result="scheduled"} 1000
scheduler_scheduling_attempt_duration_seconds_sum{profile="default",result="unschedulable"} 90
scheduler_scheduling_attempt_duration_seconds_count{profile="default",result="unschedulable"} 1000
"""  # noqa: E501
PARTS = {
    ("all", "both"): 200e-6,
    ("NodeAffinity", "filter"): 1e-6,
    ("NodeAffinity", "score"): 8e-6,
    ("LeastAllocated", "score"): 20e-6,
}


def rows() -> list[Row]:
    cases = a_cluster(100, PARTS) + a_cluster(1000, PARTS) + [case(5e-3, nodes=1000, shape="new")]
    of_filter = {"plugin": "NodeAffinity", "extension_point": "filter", "nodes": 1000}
    cases.append(case(10e-6, shape="new", **of_filter))
    return [row for one in chapter(*cases).ok for row in one.rows]


def joined() -> dict[tuple[str, str], ServedBeside]:
    measured = rows()
    setting = setting_of(measured)
    assert setting is not None
    found = beside(measured, setting, parse_metrics(PAGE))
    return {(one.plugin, one.extension_point): one for one in found}


def test_the_largest_cluster_is_shown() -> None:
    assert setting_of(rows()) == {"nodes": 1000, "pods": 10, "scored": "all"}
    assert setting_of([]) is None


def test_plugins_are_counted_by_pod_and_node_in_both() -> None:
    found = joined()[("NodeAffinity", "Filter")]
    # 4 ms over 4000 calls, whatever they found; ours is 1 µs over 100 nodes (as made up).
    assert found.theirs == pytest.approx(1e-6)
    assert (found.per, found.count) == ("pod and node", 4000)
    assert found.known == pytest.approx(1e-8, rel=0.02)
    other = joined()[("LeastAllocated", "Score")]
    assert other.ratio == pytest.approx(2e-6 / 2e-7, rel=0.02)


def test_a_look_up_is_not_held_against_an_answer_that_is_worked_out() -> None:
    found = joined()[("NodeAffinity", "Filter")]
    assert found.looked_up
    assert found.ratio == pytest.approx(1e-6 / 1e-7, rel=0.02)
    assert dataclasses.replace(found, new=None).ratio is None
    assert not joined()[("LeastAllocated", "Score")].looked_up


def test_a_strategy_of_node_resources_fit_is_our_score() -> None:
    assert joined()[("LeastAllocated", "Score")].theirs == pytest.approx(2e-6)


def test_a_decision_stands_beside_the_algorithm_and_not_beside_the_attempt() -> None:
    found = joined()
    decision = found[("", "algorithm")]
    assert decision.known == pytest.approx(200e-6, rel=0.02)
    assert decision.new == pytest.approx(5e-3, rel=0.02)
    assert decision.theirs == pytest.approx(4e-3)
    assert decision.per == "pod"
    # Those that found no node are left out: they tried preemption too.
    assert found[("", "attempt")].theirs == pytest.approx(9e-3)
    assert found[("", "attempt")].known is None


def test_what_only_one_has_is_shown_without_a_ratio() -> None:
    found = joined()
    assert found[("InterPodAffinity", "PreScore")].per == "pod"
    assert found[("", "Score")].theirs == pytest.approx(2e-3)
    assert found[("NodeAffinity", "Score")].theirs is None
    assert ("VolumeBinding", "Score") not in found, "nothing was observed"
    assert all(one.ratio is None for one in found.values() if not (one.known and one.theirs))


@pytest.fixture
def page() -> Iterator[str]:
    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            allowed = self.headers["Authorization"] == "Bearer secret"
            self.send_response(200 if allowed else 403)
            self.end_headers()
            self.wfile.write(PAGE.encode())

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/metrics"
        server.shutdown()


@pytest.fixture
def a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube_scheduler, "find_run", lambda run: Path("run.json"))
    monkeypatch.setattr(kube_scheduler.run_file, "read", lambda path: SimpleNamespace())
    monkeypatch.setattr(kube_scheduler, "rows_of", lambda run: rows())


@pytest.mark.usefixtures("a_run")
def test_the_command_prints_one_table(page: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret\n")
    arguments = ["kube-scheduler", "--metrics-url", page, "--token-file", str(token)]
    shown = CliRunner().invoke(cli, arguments)
    assert shown.exit_code == 0, shown.output
    assert "NodeAffinity" in shown.output
    assert "on 1000 nodes" in shown.output
    (line,) = [line for line in shown.output.splitlines() if "algorithm" in line]
    assert "4 ms" in line
    answer = json.loads(CliRunner().invoke(cli, [*arguments, "--json"]).output)
    assert answer["setting"]["nodes"] == 1000
    assert {one["per"] for one in answer["rows"]} == {"pod", "pod and node"}


@pytest.mark.usefixtures("a_run")
def test_a_saved_page_is_as_good_as_the_one_that_is_served(page: str, tmp_path: Path) -> None:
    token, saved = tmp_path / "token", tmp_path / "metrics.txt"
    token.write_text("secret")
    saved.write_text(PAGE)
    served = ["--metrics-url", page, "--token-file", str(token)]
    told = [
        CliRunner().invoke(cli, ["kube-scheduler", *options, "--json"], input=given)
        for options, given in (
            (served, None),
            (["--metrics-file", str(saved)], None),
            (["--metrics-file", "-"], PAGE),
        )
    ]
    assert [done.exit_code for done in told] == [0, 0, 0]
    assert told[0].output == told[1].output == told[2].output


@pytest.mark.usefixtures("a_run")
def test_what_is_no_saved_page_is_refused_and_so_are_none_and_both(
    page: str, tmp_path: Path
) -> None:
    other = tmp_path / "other.txt"
    other.write_text("go_goroutines 12\n")
    for options, words in (
        (["--metrics-file", str(other)], "is it a kube-scheduler's?"),
        ([], "at an address or in a file"),
        (["--metrics-file", str(other), "--metrics-url", page], "at an address or in a file"),
    ):
        refused = CliRunner().invoke(cli, ["kube-scheduler", *options])
        assert isinstance(refused.exception, UsageError)
        assert words in str(refused.exception)


@pytest.mark.usefixtures("a_run")
def test_a_page_that_cannot_be_read_says_what_to_do(page: str) -> None:
    refused = CliRunner().invoke(cli, ["kube-scheduler", "--metrics-url", page])
    assert isinstance(refused.exception, UsageError)
    assert "give a token that may read /metrics" in str(refused.exception)


def test_a_run_without_the_experiment_says_how_to_measure(
    monkeypatch: pytest.MonkeyPatch, a_run: None
) -> None:
    monkeypatch.setattr(kube_scheduler, "rows_of", lambda run: [])
    refused = CliRunner().invoke(cli, ["kube-scheduler", "--metrics-url", "http://127.0.0.1:1/"])
    assert isinstance(refused.exception, UsageError)
    assert "cnbench run scheduler-scoring" in refused.exception.remedy
