"""Odd input of every kind, through the command: a sentence and an exit code, and soon.

Each input goes to the command in this process, where a fault of ours shows as the sentence that
calls itself one; or to a process of its own.
"""

import contextlib
import functools
import io
import os
import re
import resource
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from unittest import mock

import odd_inputs
import synthetic_runs
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cnbench.cli.main import main
from cnbench.core.errors import CnbenchError
from cnbench.experiments.registry import all_experiments
from cnbench.lab import journal
from cnbench.measuring.plan import parse_given
from cnbench.scheduler import SchedulerInputError
from cnbench.scheduler.inputs.openb import load_trace
from cnbench.store import one_object, run_file

# What a hang is, and how much memory is too much.
SECONDS = 5.0
MEBIBYTES = 500
# What a terminal would obey, but for the ends of lines.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
_FAULTS = ("a fault in cnbench", "Traceback (most recent call last)")
_CODES = (0, 1, 2, 3, 4, 5)
_READERS = (
    ("show", "RUN"),
    ("show", "RUN", "--json"),
    ("show", "RUN", "--published"),
    ("compare", "RUN", "RUN"),
)
_MODES = ("iptables", "nftables", "ipvs")


@dataclass
class Found:
    """What came of one kind of input."""

    kind: str
    inputs: int = 0
    codes: Counter = field(default_factory=Counter)
    slowest: float = 0.0
    mebibytes: int = 0
    faults: list[str] = field(default_factory=list)

    def look_at(self, what, ended, seconds):
        """Count one input, and note what was wrong about how it ended."""
        code, out, err = ended
        self.inputs += 1
        self.codes[code] += 1
        self.slowest = max(self.slowest, seconds)
        self.mebibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        for wrong, words in (
            (code not in _CODES, f"ended with {code}"),
            (any(fault in out + err for fault in _FAULTS), "a fault of ours"),
            (_OBEYED.search(out + err), "a control character"),
            (seconds > SECONDS, f"took {seconds:.1f} s"),
            (self.mebibytes > MEBIBYTES, f"took {self.mebibytes} MiB"),
        ):
            if wrong:
                self.faults.append(f"{words}: {what!r:.400} → {err[-300:]!r}")


class Fuzz:
    """Every kind of input, and what is called with it; files go to ``folder``."""

    def __init__(self, folder, a_run):
        self._folder = folder
        self._page = b""
        self._server = _serving(self)
        self.inputs = {
            "run files": st.tuples(odd_inputs.run_files(*a_run), st.sampled_from(_READERS)),
            "services": st.tuples(odd_inputs.services(), st.sampled_from(_MODES)),
            "traces": odd_inputs.traces(),
            "metrics": odd_inputs.metrics(),
            "journals": odd_inputs.journals(),
            "parameters": odd_inputs.parameters(),
        }

    def fuzz(self, kind, count, call, seed=None):
        """``count`` inputs of ``kind``, each called by ``call`` (``here`` or ``as_a_process``)."""
        found = Found(kind)
        if kind == "metrics":
            _ = self._scheduler_run

        @settings(
            max_examples=count,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            derandomize=seed is None,
            suppress_health_check=list(HealthCheck),
        )
        @given(self.inputs[kind])
        def each(drawn):
            began = call.seconds()
            ended = getattr(self, "_" + kind.replace(" ", "_"))(drawn, call)
            found.look_at(drawn, ended, call.seconds() - began)

        if seed is not None:
            each._hypothesis_internal_use_seed = seed
        each()
        return found

    def _run_files(self, drawn, call):
        text, argv = drawn
        path = self._folder / "run.json"
        path.write_bytes(text)
        return call([str(path) if word == "RUN" else word for word in argv])

    def _services(self, drawn, call):
        text, mode = drawn
        path = self._folder / "services.yaml"
        path.write_bytes(text)
        return call(["services", "generate", "--mode", mode, "--from", str(path)])

    def _traces(self, drawn, call):
        for name, text in zip(("node_list_all_node", "pod_list_default"), drawn, strict=True):
            (self._folder / f"openb_{name}.csv").write_bytes(text)
        if call is not here:
            argv = ["run", "scheduler-scoring", "-p", f"trace={self._folder}", "--lab", "host"]
            argv += ["--budget", "0.1s", "-o", os.devnull, "--json"]
            return call([*argv, "-p", "plugin=all", "-p", "scored=all"])
        try:
            load_trace(self._folder)
        except SchedulerInputError:
            return 2, "", ""
        return 0, "", ""

    def _metrics(self, drawn, call):
        self._page = drawn
        url = f"http://127.0.0.1:{self._server.server_port}/metrics"
        return call(["kube-scheduler", self._scheduler_run, "--metrics-url", url])

    @functools.cached_property
    def _scheduler_run(self):
        """A run file to show beside the metrics, measured here."""
        path = str(self._folder / "scheduler.json")
        argv = ["run", "scheduler-scoring", "-p", "nodes=100", "-p", "plugin=all", "-o", path]
        as_a_process([*argv, "--lab", "host", "--budget", "0.1s"])
        return path

    def _journals(self, drawn, call):
        journals = self._folder / "journals"
        journals.mkdir(exist_ok=True)
        (journals / "dead.jsonl").write_bytes(drawn)
        return call(["gc", "--dry-run"], journals)

    def _parameters(self, drawn, call):
        name, assignment = drawn
        if call is not here:
            return call(["list", name, assignment[:200].replace("\0", "")])
        experiment = all_experiments()[name]
        try:
            values = parse_given([experiment], [assignment])[name]
            return 0, str(len(experiment.grid(False, values))), ""
        except CnbenchError as error:
            return int(error.exit_code), "", ""

    def page(self):
        """What the server answers now."""
        return self._page

    def close(self):
        """End the server."""
        self._server.shutdown()
        self._server.server_close()


def here(argv, journals=None):
    """The command in this process: its exit code, and what it said."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    default = journal.default_folder
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", ["cnbench", *argv]),
        mock.patch.object(journal, "default_folder", (lambda: journals) if journals else default),
    ):
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
    return int(code), out.getvalue(), err.getvalue()


def as_a_process(argv, journals=None):
    """The command as a process of its own."""
    program = "from cnbench.cli.main import main\n"
    if journals:
        program += "from cnbench.lab import journal; from pathlib import Path\n"
        program += f"journal.default_folder = lambda: Path({str(journals)!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", program + "main()", *argv], capture_output=True, timeout=60
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def _seconds_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


here.seconds = time.monotonic
# Starting Python on a busy machine takes seconds of the wall; a hang meets the timeout above.
as_a_process.seconds = _seconds_of_children


def _serving(fuzz):
    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(fuzz.page())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def a_run():
    """A run with a little of three experiments in it: as one object, and as records."""
    run = synthetic_runs.whole_run()
    by_experiment = {case.case.experiment: [] for case in run.cases}
    for case in run.cases:
        by_experiment[case.case.experiment].append(
            replace(case, samples=case.samples[:3], twin=case.twin[:3])
        )
    run.cases = [case for cases in by_experiment.values() for case in cases[:2]]
    return one_object.encode(run), run_file.encoded(run)
