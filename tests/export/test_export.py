"""Exports, read back by the tools that they are for."""

import io
import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import made_up
import pandas as pd
import pyperf
import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt
from prometheus_client.openmetrics.parser import text_string_to_metric_families

import cnbench
from cnbench.cli.main import cli
from cnbench.core.case import Case
from cnbench.core.errors import UsageError
from cnbench.core.metric import Metric
from cnbench.export import FORMATS, format_called
from cnbench.store import run_file

RATE = Metric("rate", "B/s", "higher", "ratio", "how fast")
RUN = made_up.run(
    replace(
        made_up.result([], twin=[1.0] * 8),
        samples=tuple(
            replace(one, setup=n % 2, replaced=n == 0)
            for n, one in enumerate(made_up.samples([9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]))
        ),
    ),
    made_up.result([2e6, 3e6], "b", metric="rate"),
    made_up.result([], "a", 2, status="failed", reason="it | broke <b>\n*x*"),
    metrics=(made_up.COST, RATE),
)


def exported(name, run=RUN):
    return format_called(name).exported(run)


@pytest.fixture
def path(tmp_path):
    run_file.write(RUN, tmp_path / "run.jsonl")
    return tmp_path / "run.jsonl"


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_tables_have_every_sample(path, name):
    text, left_out = exported(name)
    read = {"csv": pd.read_csv, "parquet": pd.read_parquet}[name](io.BytesIO(text))
    frame = cnbench.load(path).frame()
    assert left_out == []
    assert list(read.columns) == list(frame.columns)
    assert len(read) == len(frame) == 18
    assert read["cost"].tolist()[:8] == [9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    assert read["started"].tolist() == frame["started"].tolist()
    if name == "parquet":
        pd.testing.assert_frame_equal(read, frame, check_categorical=False)


def test_one_object_is_a_run_file_again(tmp_path):
    text, _ = exported("json")
    assert json.loads(text)["cases"][0]["samples"][0]["values"] == {"cost": 9.0}
    (tmp_path / "again.json").write_bytes(text)
    assert run_file.read(tmp_path / "again.json") == RUN


def test_pyperf_reads_costs_and_is_told_set_ups_as_runs(tmp_path):
    text, left_out = exported("pyperf")
    (tmp_path / "suite.json").write_bytes(text)
    (benchmark,) = pyperf.BenchmarkSuite.load(str(tmp_path / "suite.json")).get_benchmarks()
    assert benchmark.get_name() == "host wall made-up mode=a size=1 cost"
    assert [run.values for run in benchmark.get_runs()] == [(2.0, 4.0, 6.0), (1.0, 3.0, 5.0, 7.0)]
    assert benchmark.get_unit() == "second"
    assert left_out == ["pyperf has no place for made-up rate: it is no positive cost"]
    stats = subprocess.run(
        [sys.executable, "-m", "pyperf", "stats", str(tmp_path / "suite.json")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Total number of values: 7" in stats.stdout
    with pytest.raises(UsageError, match="no case of this run has a cost"):
        exported("pyperf", made_up.run(made_up.result([1.0], metric="rate"), metrics=(RATE,)))


def test_prometheus_reads_medians_intervals_and_labels():
    text, _ = exported("openmetrics")
    families = {one.name: one for one in text_string_to_metric_families(text.decode())}
    cost = families["cnbench_made_up_cost_seconds"]
    assert (cost.type, cost.unit) == ("gauge", "seconds")
    (sample,) = cost.samples
    assert sample.labels == {
        "run": RUN.id, "lab": "host", "clock": "wall", "kernel": "6.1.0",
        "param_mode": "a", "param_size": "1",
    }  # fmt: skip
    rate = "cnbench_made_up_rate{}_bytes_per_second"
    assert families[rate.format("")].samples[0].value == pytest.approx(math.sqrt(6e12))
    assert families[rate.format("_low")].samples[0].value == 0
    assert families[rate.format("_high")].samples[0].value == math.inf
    assert families["cnbench_made_up_cost_blocks"].samples[0].value == 7
    cases = {s.labels["status"]: s.value for s in families["cnbench_cases"].samples}
    assert cases == {"ok": 2, "failed": 1}


def test_labels_hold_any_text():
    odd = 'a "b" \\ c\nd {e="f"}'
    run = made_up.run(made_up.result([1.0], case=Case("made-up", {"mode": odd, "size": 1})))
    text, _ = exported("openmetrics", run)
    families = {one.name: one for one in text_string_to_metric_families(text.decode())}
    assert families["cnbench_made_up_cost_seconds"].samples[0].labels["param_mode"] == odd


def test_markdown_is_a_table_whatever_is_in_it():
    text, _ = exported("markdown")
    page = MarkdownIt("commonmark").enable("table").render(text.decode())
    assert page.count("<table>") == 1
    assert page.count("<tr>") == 3
    assert "<td>cost</td>" in page
    assert "failed, it | broke &lt;b&gt; *x*" in page


@pytest.fixture
def call(path):
    def run(*argv):
        return CliRunner().invoke(cli, ["export", str(path), *argv])

    return run


def test_the_command_writes_to_stdout_or_a_file(call, tmp_path):
    done = call("--to", "markdown")
    assert done.stdout_bytes == exported("markdown")[0]
    assert done.stderr == ""
    file = tmp_path / "suite.json"
    assert "Left out: pyperf has no place" in call("--to", "pyperf", "-o", str(file)).stderr
    assert file.read_bytes() == exported("pyperf")[0]


def test_a_binary_format_wants_a_file(call):
    refused = call("--to", "parquet")
    assert isinstance(refused.exception, UsageError)
    assert "name a file for it" in refused.exception.remedy


@pytest.mark.parametrize("name", FORMATS)
def test_another_s_file_is_left_alone_and_ours_replaced(call, tmp_path, name):
    file = tmp_path / "there"
    file.write_text("precious")
    refused = call("--to", name, "-o", str(file))
    assert isinstance(refused.exception, UsageError)
    assert file.read_text() == "precious"
    assert call("--to", name, "-o", str(file), "--force").exception is None
    again = call("--to", name, "-o", str(file))
    assert (again.exception is None) == (format_called(name).BEGINS is not None)
    assert file.read_bytes() == exported(name)[0]


def test_a_pipe_is_written_into(path, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    tool = str(Path(sys.executable).with_name("cnbench"))
    argv = [tool, "export", str(path), "--to", "csv", "-o", str(pipe)]
    with subprocess.Popen(argv) as process:
        assert pipe.read_bytes() == exported("csv")[0]
    assert process.returncode == 0
