"""Keeping a run file up to date while its run goes on."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import cnbench
from cnbench.core.experiment import Experiment
from cnbench.core.fingerprint import Fingerprint
from cnbench.core.run import CaseResult, ExperimentRecord, Request, Run
from cnbench.store import run_file


class Recorder:
    """A run and the file it is written to after every case."""

    def __init__(self, run: Run, path: Path) -> None:
        self.run = run
        self.path = path

    def add_environment(self, fingerprint: Fingerprint) -> str:
        """Note an environment, and give its digest."""
        self.run.fingerprints[fingerprint.digest] = fingerprint
        return fingerprint.digest

    def add_case(self, result: CaseResult) -> None:
        """Keep a case's result, in place of an earlier one of the same case."""
        key = result.case.key
        self.run.cases = [case for case in self.run.cases if case.case.key != key]
        self.run.cases.append(result)
        self.save()

    def finish(self) -> None:
        """Note that every case was measured."""
        self.run.finished = _now().isoformat(timespec="seconds")
        self.save()

    def save(self) -> None:
        """Write the file; errors as ``run_file.write``."""
        run_file.write(self.run, self.path)

    def done(self) -> set[str]:
        """The keys of the cases that need not be measured again."""
        return {
            result.case.key
            for result in self.run.cases
            if result.status == "unsupported"
            or (result.status == "ok" and result.stopped != "interrupted")
        }


def new_run(request: Request, experiments: Iterable[Experiment]) -> Run:
    """A run that has nothing in it yet."""
    began = _now()
    return Run(
        id=f"{began:%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:4]}",
        started=began.isoformat(timespec="seconds"),
        cnbench=cnbench.__version__,
        request=request,
        experiments={experiment.name: _record(experiment) for experiment in experiments},
    )


def _record(experiment: Experiment) -> ExperimentRecord:
    return ExperimentRecord(
        experiment.question,
        experiment.variant,
        experiment.metrics,
        {parameter.name: parameter.unit for parameter in experiment.parameters},
    )


def _now() -> datetime:
    return datetime.now(UTC)
