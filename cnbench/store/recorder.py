"""Keeping a run file up to date while its run goes on."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import cnbench
from cnbench.core.errors import CnbenchError, NotComparableError, UsageError
from cnbench.core.experiment import Experiment
from cnbench.core.fingerprint import Fingerprint, differences
from cnbench.core.run import CaseResult, ExperimentRecord, Request, Run
from cnbench.measuring.events import CaseEnded, EnvironmentFound, Event
from cnbench.store import run_file


class Recorder:
    """A run and the file it is written to after every case."""

    def __init__(self, run: Run, path: Path) -> None:
        self.run = run
        self.path = path

        self.problem: CnbenchError | None = None

    def listen(self, event: Event) -> None:
        """Keep what a measurement tells."""
        if isinstance(event, EnvironmentFound):
            self._add_environment(event.fingerprint)
        elif isinstance(event, CaseEnded):
            self._add_case(event.result)

    def _add_environment(self, found: Fingerprint) -> None:
        """Note an environment; a resumed run must go on in the one it was begun in."""
        for known in self.run.fingerprints.values():
            if (known.lab, known.clock, known.image) == (found.lab, found.clock, found.image):
                essential = [d for d in differences(known, found) if d.essential]
                if essential:
                    first = essential[0]
                    raise NotComparableError(
                        f"this run was begun with {first.what} = {first.one}, and now it is "
                        f"{first.other}",
                        "start a new run",
                    )
        self.run.fingerprints[found.digest] = found

    def _add_case(self, result: CaseResult) -> None:
        key = result.case.key
        known = {case.case.key for case in measured(self.run)}
        if result.stopped == "interrupted" and key in known:
            return  # a resumed run had it whole, and was measuring its group again for another
        self.run.cases = [case for case in self.run.cases if case.case.key != key]
        self.run.cases.append(result)
        try:
            self.save()
        except CnbenchError as error:
            # Nothing measured is lost by going on: the next case's attempt writes this one too.
            self.problem = error

    def finish(self, *, complete: bool) -> None:
        """Write the last state; where its file cannot be written, write to a temporary one.

        Raises:
            UsageError: neither could be written, or only the temporary one; the message says
                where everything is.
        """
        if complete:
            self.run.finished = _now().isoformat(timespec="seconds")
        try:
            self.save()
        except CnbenchError as error:
            refuge = Path(tempfile.gettempdir(), f"cnbench-run-{self.run.id}.json")
            run_file.write(self.run, refuge)
            raise UsageError(
                f"{error}; the whole run is in {refuge} instead", "move it to where it belongs"
            ) from error

    def save(self) -> None:
        """Write the file; errors as ``run_file.write``."""
        run_file.write(self.run, self.path)
        self.problem = None


def measured(run: Run) -> list[CaseResult]:
    """The results that a resumed run need not measure again."""
    return [
        result
        for result in run.cases
        if result.status == "unsupported"
        or (result.status == "ok" and result.stopped != "interrupted")
    ]


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
        experiment.caveat,
    )


def _now() -> datetime:
    return datetime.now(UTC)
