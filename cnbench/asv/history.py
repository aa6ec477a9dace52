"""Kernel histories as asv's own files: one commit a kernel release, one result file a commit.

asv itself computes medians and intervals of the samples and writes the files; what is made here is
what asv gets by discovering benchmarks and measuring commits.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from asv import util
from asv.machine import Machine
from asv.results import Results
from asv.runner import BenchmarkResult

from cnbench.asv.conversion import asv_samples, cost_unit
from cnbench.asv.kernel_repository import BRANCH, seconds_of, write_repository
from cnbench.core.fingerprint import Fingerprint
from cnbench.core.kernels.release import KernelRelease
from cnbench.core.metric import ClockName, Metric
from cnbench.core.parameter import Value
from cnbench.core.run import CaseResult, ExperimentRecord, Run
from cnbench.core.units import format_exact
from cnbench.store.columns import columns_of

CONFIG = "asv.conf.json"

_REPOSITORY = "kernels.git"
_RESULTS = "asv"
_CLOCK: ClockName = "instructions"
_BENCHMARKS_VERSION = 2  # of the file's format, as asv 0.6 reads it
# Each benchmark is written anew with all of its results, so none is ever older than another.
_VERSION = "1"
_NOT_APPLICABLE = float("nan")


@dataclass(frozen=True)
class Benchmark:
    """One metric of one experiment, as asv draws it: a line for each point of its axes.

    Attributes:
        run: the history that it is from.
        experiment: its name.
        metric: what was measured.
        axes: the parameters that distinguish its cases: their values as a person writes them.
    """

    run: Run
    experiment: str
    metric: Metric
    axes: dict[str, list[str]]

    @property
    def name(self) -> str:
        """What asv calls it, and finds its results by."""
        return f"{self.experiment}.{self.metric.name}"

    def description(self) -> dict[str, Any]:
        """What asv would have found out by discovering it."""
        names = " ".join(self.run.request.kernels)
        return {
            "name": self.name,
            "pretty_name": f"{self.experiment}: {self.metric.name}",
            # asv's page shows this as the benchmark's code.
            "code": f"# {self.metric.summary}\n"
            f"cnbench history --kernels {names.replace(' ', ',')} {self.experiment}",
            "param_names": list(self.axes),
            "params": list(self.axes.values()),
            "type": "track",
            "unit": cost_unit(self.metric, _CLOCK),
            "version": _VERSION,
        }

    def result_on(self, release: str) -> BenchmarkResult:
        """What asv would have got by running it on a kernel: samples for each point of the axes.

        A point that failed there is None, one that makes no sense or is not supported is NaN, as
        asv has it.
        """
        record = self.run.experiments[self.experiment]
        found = {
            tuple(_written(record, result.case.params[axis], axis) for axis in self.axes): result
            for result in _counted(self.run)
            if result.case.experiment == self.experiment
            and _release_of(self.run, result) == release
        }
        points = [found.get(point) for point in itertools.product(*self.axes.values())]
        handed = [self._samples(result) for result in points]
        return BenchmarkResult(
            result=[
                _absent(result) if samples is None else samples[0]
                for result, samples in zip(points, handed, strict=True)
            ],
            samples=handed,
            number=[None if samples is None else 1 for samples in handed],
            errcode=0,
            stderr="",
            profile=None,
        )

    def _samples(self, result: CaseResult | None) -> list[float] | None:
        if result is None or not _has(result, self.metric):
            return None
        samples: list[float] = asv_samples(result, self.metric)["samples"]
        return samples


def benchmarks_of(run: Run) -> list[Benchmark]:
    """Every metric of every experiment that ``run`` has a count of, on any kernel."""
    return [
        Benchmark(run, name, metric, _axes(record, having))
        for name, record in run.experiments.items()
        for metric in record.metrics
        if (having := [r for r in _counted(run) if r.case.experiment == name and _has(r, metric)])
    ]


def releases_in(run: Run) -> set[str]:
    """The releases of the kernels that ``run`` has a count of."""
    return {_release_of(run, result) for result in _counted(run) if result.status == "ok"}


def write(
    histories: Sequence[Run], releases: Sequence[KernelRelease], folder: Path, pages: Path
) -> None:
    """Write all that ``asv publish --config FOLDER/asv.conf.json`` needs into ``folder``.

    Args:
        histories: the runs, each with other experiments.
        releases: all of their kernels, in the order of the plots.
        folder: where to write; it may hold other files.
        pages: where asv is to write its pages.

    Raises:
        UnsupportedError: git is not installed.
        CommandError: git failed.
    """
    commits = write_repository(folder / _REPOSITORY, releases)
    benchmarks = [benchmark for run in histories for benchmark in benchmarks_of(run)]
    listed = {benchmark.name: benchmark.description() for benchmark in benchmarks}
    util.write_json(folder / _RESULTS / "benchmarks.json", listed, _BENCHMARKS_VERSION)
    machines: dict[str, dict[str, str]] = {}
    for release in releases:
        for machine, of_it in _by_machine(benchmarks, release.name):
            machines[machine["machine"]] = machine
            _results(machine, of_it, release, commits[release.name]).save(folder / _RESULTS)
    for name, machine in machines.items():
        util.write_json(folder / _RESULTS / name / "machine.json", machine, Machine.api_version)
    (folder / CONFIG).write_text(json.dumps(_settings(folder, pages), indent=1) + "\n")


def _results(
    machine: dict[str, str], benchmarks: Sequence[Benchmark], release: KernelRelease, commit: str
) -> Results:
    milliseconds = seconds_of(release) * 1000
    results = Results(machine, {}, commit, milliseconds, machine["python"], "guest", {})
    for benchmark in benchmarks:
        results.add_result(
            benchmark.description(),
            benchmark.result_on(release.name),
            started_at=datetime.fromisoformat(benchmark.run.started),
            record_samples=True,
        )
    return results


def _by_machine(
    benchmarks: Sequence[Benchmark], release: str
) -> Iterator[tuple[dict[str, str], list[Benchmark]]]:
    """The benchmarks that were measured on a kernel, by the guest that they were measured in."""
    machines: dict[str, dict[str, str]] = {}
    measured: dict[str, list[Benchmark]] = {}
    for benchmark in benchmarks:
        for environment in benchmark.run.fingerprints.values():
            if environment.clock == _CLOCK and environment.kernel == release:
                machine = _machine(environment)
                machines[machine["machine"]] = machine
                measured.setdefault(machine["machine"], []).append(benchmark)
    for name, machine in machines.items():
        yield machine, measured[name]


def _machine(environment: Fingerprint) -> dict[str, str]:
    """A guest as asv knows a machine: all but its kernel, which is the commit.

    Every entry becomes a choice on asv's pages, where the values differ.
    """
    userland = environment.image.partition("-")[0]
    return {
        "machine": f"instructions-guest-{userland or 'unknown'}",
        "os": "Linux",
        "arch": "x86_64",
        "cpu": environment.machine.get("cpu", ""),
        "num_cpu": environment.machine.get("cpus", ""),
        "ram": environment.machine.get("memory", ""),
        "clock": environment.clock,
        "python": environment.tools.get("python", ""),
    }


def _settings(folder: Path, pages: Path) -> dict[str, Any]:
    """The settings; asv takes paths from the folder that they are in."""
    return {
        "version": 1,
        "project": "cnbench: cost by kernel release",
        "project_url": "#",
        "show_commit_url": "#",
        "repo": _REPOSITORY,
        "branches": [BRANCH],
        "results_dir": _RESULTS,
        "html_dir": os.path.relpath(pages.absolute(), folder.absolute()),
        # Mark the steps by the intervals of the medians; refuse what asv's test is deaf to.
        "plugins": ["cnbench.asv.steps", "cnbench.asv.hearing"],
        # A step is listed whatever its size: what is too small to be one was none.
        "regressions_thresholds": {".*": 0.0},
    }


def _axes(record: ExperimentRecord, results: Sequence[CaseResult]) -> dict[str, list[str]]:
    values = {
        name: list(dict.fromkeys(result.case.params[name] for result in results))
        for name in record.parameters
    }
    return {
        name: [_written(record, value, name) for value in _in_order(found)]
        for name, found in values.items()
        if len(found) > 1 or name == record.variant
    }


def _in_order(values: Sequence[Value]) -> list[Value]:
    numbers = sorted(value for value in values if not isinstance(value, str))
    return [*numbers, *(value for value in values if isinstance(value, str))]


def _written(record: ExperimentRecord, value: Value, parameter: str) -> str:
    if isinstance(value, str):
        return value
    return format_exact(value, record.parameters[parameter])


def _counted(run: Run) -> list[CaseResult]:
    return [result for result in run.cases if result.case.clock == _CLOCK]


def _release_of(run: Run, result: CaseResult) -> str:
    environment = run.fingerprints.get(result.fingerprint)
    return environment.kernel if environment else ""


def _has(result: CaseResult, metric: Metric) -> bool:
    return result.status == "ok" and metric.name in columns_of(result.samples).metrics


def _absent(result: CaseResult | None) -> float | None:
    return None if result is not None and result.status == "failed" else _NOT_APPLICABLE
