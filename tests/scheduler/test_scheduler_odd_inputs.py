"""Metrics pages and traces that are none."""

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from cnbench.scheduler import SchedulerInputError
from cnbench.scheduler.inputs import kube_scheduler_metrics
from cnbench.scheduler.inputs.kube_scheduler_metrics import (
    MetricsError,
    parse_metrics,
    read_metrics,
)
from cnbench.scheduler.inputs.openb import (
    ALL_NODES,
    DEFAULT_PODS,
    NODES_FILE,
    PODS_FILE,
    load_trace,
)

NODES, PODS = NODES_FILE.format(ALL_NODES), PODS_FILE.format(DEFAULT_PODS)
METRIC = "scheduler_scheduling_attempt_duration_seconds"


@pytest.mark.parametrize("value", ["+Inf", "-Inf", "NaN", "1e300", "1e400"])
@pytest.mark.parametrize("part", ["sum", "count"])
def test_what_is_no_number_is_no_figure(part, value):
    with pytest.raises(MetricsError, match=r"line 1: .* is neither a time nor a count"):
        parse_metrics(f"{METRIC}_{part} {value}\n")


@pytest.mark.parametrize(
    "url",
    ["http://[", "http://a:b/", "http://\n/", "http://a b/", "http://" + "x" * 300 + "/", "http:",
     "http://127.0.0.1:99999/", "file:///etc/passwd", "http://\udcff/", "//x"],
)  # fmt: skip
def test_an_address_that_is_none_is_one_sentence(url):
    with pytest.raises(MetricsError):
        read_metrics(url)


@pytest.fixture
def serving():
    """A server on this machine that answers by ``write``."""
    servers = []

    def serve(write):
        class Page(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                with contextlib.suppress(OSError):
                    write(self.wfile)

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Page)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/metrics"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_page_without_an_end_is_given_up(serving):
    def drip(page):
        while True:
            page.write(b"# still coming\n")
            time.sleep(0.01)

    with pytest.raises(MetricsError, match=r"has not come to its end in 0\.3 s"):
        read_metrics(serving(drip), timeout=0.3)


def test_a_page_that_is_too_large_is_given_up(serving, monkeypatch):
    monkeypatch.setattr(kube_scheduler_metrics, "_MOST_BYTES", 1 << 20)

    def flood(page):
        while True:
            page.write(b"\n" * 65536)

    with pytest.raises(MetricsError, match="has more than 1 MiB"):
        read_metrics(serving(flood))


@pytest.fixture
def trace(tmp_path):
    (tmp_path / NODES).write_text("sn,cpu_milli,memory_mib,gpu,model\nn,64000,262144,2,P100\n")
    header = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos\n"
    (tmp_path / PODS).write_text(f"{header}p,1,1,0,0,,LS\n")
    return tmp_path


ODD = {
    "a field of 200,000 characters": "sn,cpu_milli,memory_mib,gpu,model\n" + "x" * 200_000,
    "such a header": "x" * 200_000,
    "an open quote": 'sn,cpu_milli,memory_mib,gpu,model\n"' + "x" * 200_000,
}


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_csv_is_one_sentence(trace, odd):
    (trace / NODES).write_text(ODD[odd])
    with pytest.raises(SchedulerInputError, match="is no CSV"):
        load_trace(trace)


def test_a_pipe_is_no_trace(trace):
    import os

    (trace / NODES).unlink()
    os.mkfifo(trace / NODES)
    with pytest.raises(SchedulerInputError, match="is not a file"):
        load_trace(trace)
