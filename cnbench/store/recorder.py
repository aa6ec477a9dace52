"""Keeping a run file up to date while its run goes on."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import cnbench
from cnbench.core.errors import CnbenchError, NotComparableError, UsageError
from cnbench.core.experiment import Experiment
from cnbench.core.fingerprint import Fingerprint, differences
from cnbench.core.node import this_node
from cnbench.core.run import CaseResult, ExperimentRecord, Request, Run
from cnbench.lab.resources import temporary_folder
from cnbench.measuring.events import CaseEnded, EnvironmentFound, Event
from cnbench.store import output, records, run_file
from cnbench.store.growing_file import GrowingFile
from cnbench.store.repeats import has_repeat, with_repeat
from cnbench.store.runs import SUFFIX

_OTHER_REFUGES = (Path("/var/tmp"), Path("/dev/shm"))  # noqa: S108  created without following links


class Recorder:
    """A run and its file, to which every case is appended."""

    def __init__(self, run: Run, path: Path) -> None:
        self.run = run
        self.path = path
        # Which time round it is; whoever measures the plan again says so.
        self.repeat = 0
        self.problem: CnbenchError | None = None
        self._file: GrowingFile | None = None
        # Records that are not in the file yet.
        self._unsaved: list[bytes] = []
        # Whether the file has records that later ones replace.
        self._has_replaced = False

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
        self._unsaved.append(records.environment(found))

    def _add_case(self, result: CaseResult) -> None:
        key = result.case.key
        result = _readable(result, self.run.experiments[result.case.experiment])
        known = next((case for case in self.run.cases if case.case.key == key), None)
        if known and result.stopped == "interrupted" and has_repeat(known, self.repeat):
            return  # a resumed run had it whole, and was measuring its group again for another
        result = with_repeat(known, result, self.repeat)
        if known:
            self._has_replaced = True
            self.run.cases = [case for case in self.run.cases if case.case.key != key]
        self.run.cases.append(result)
        self._unsaved.append(records.case(result))
        try:
            self.save()
        except CnbenchError as error:
            # Nothing measured is lost by going on: the next case's attempt writes this one too.
            self.problem = error

    def begin(self) -> None:
        """Find out whether the file can be written, before anything is measured.

        Raises:
            UsageError: it cannot.
        """
        self.save()

    def finish(self, *, complete: bool) -> None:
        """Write the last state; where its file cannot be written, to wherever there is room.

        Raises:
            UsageError: the file could not be written; the message says where everything is.
        """
        if complete:
            self.run.finished = _now().isoformat(timespec="seconds")
            self._unsaved.append(records.finished(self.run.finished))
        if self._has_replaced:
            self._file = None
        try:
            self._save()
        except CnbenchError as error:
            refuge = self._save_elsewhere()
            if refuge is None:
                raise UsageError(
                    f"{error}, nor anywhere else; what was measured is lost", error.remedy
                ) from error
            raise UsageError(
                f"{error}; the whole run is in {refuge} instead", "move it to where it belongs"
            ) from error

    def _save_elsewhere(self) -> Path | None:
        for folder in _refuges():
            refuge = folder / f"cnbench-run-{self.run.id}{SUFFIX}"
            with contextlib.suppress(CnbenchError):
                run_file.write(self.run, refuge)
                return refuge
        return None

    def save(self) -> None:
        """Bring the file up to date, unless it takes the run only once, at its end.

        Raises:
            UsageError: it could not be written.
        """
        if output.is_written_once(self.path):
            self._unsaved.clear()
        else:
            self._save()
        self.problem = None

    def _save(self) -> None:
        """Append what is not in the file; write it whole where that is not the one we wrote."""
        if self._file is not None and self._file.in_place:
            self._file.append(b"".join(self._unsaved))
        else:
            size = run_file.write(self.run, self.path)
            once = output.is_written_once(self.path)
            self._file = None if once else GrowingFile(self.path, size)
        self._unsaved.clear()


def _refuges() -> list[Path]:
    """Where a run is kept that does not fit where it belongs, the likelier places first."""
    with contextlib.suppress(CnbenchError):
        return [temporary_folder(), *_OTHER_REFUGES, Path.home(), Path.cwd()]
    return [*_OTHER_REFUGES, Path.home(), Path.cwd()]


def _readable(result: CaseResult, record: ExperimentRecord) -> CaseResult:
    """``result``, or where no reader would take it, what is left of it and why."""
    try:
        run_file.kept(result, record)
    except CnbenchError as error:
        return CaseResult(
            result.case, result.group, "failed", f"what it gave cannot be kept: {error}",
            "this is a fault in the experiment; please report it",
            stopped=result.stopped, fingerprint=result.fingerprint,
        )  # fmt: skip
    return result


def new_run(request: Request, experiments: Iterable[Experiment]) -> Run:
    """A run that has nothing in it yet."""
    began = _now()
    return Run(
        id=f"{began:%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:4]}",
        started=began.isoformat(timespec="seconds"),
        cnbench=cnbench.__version__,
        request=request,
        experiments={experiment.name: _record(experiment) for experiment in experiments},
        node=this_node(),
    )


def _record(experiment: Experiment) -> ExperimentRecord:
    return ExperimentRecord(
        experiment.question,
        experiment.variant,
        experiment.metrics,
        {parameter.name: parameter.unit for parameter in experiment.parameters},
        experiment.caveat,
        experiment.alike,
    )


def _now() -> datetime:
    return datetime.now(UTC)
