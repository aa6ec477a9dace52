"""Runs as pandas frames: one row a sample and metric."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnbench.core.errors import UsageError
from cnbench.core.run import CaseResult, Run, Sample
from cnbench.store import run_file
from cnbench.store.runs import all_runs, readable

if TYPE_CHECKING:
    import pandas as pd


class Runs:
    """Runs read from files; ``runs`` has them as dataclasses."""

    def __init__(self, runs: list[Run]) -> None:
        self.runs = runs

    def frame(self) -> pd.DataFrame:
        """A tidy frame, one row a sample.

        Columns: ``run``, ``experiment``, ``lab``, ``clock``, ``kernel``, ``status``, ``twin`` (a
        sample of A′), ``block``, ``turn``, ``started`` and ``duration`` (seconds), ``replaced``,
        ``disturbed``, one ``param.NAME`` a parameter, one ``witness.NAME`` a figure of the witness
        (shares of 1), and one column a metric, in base units. What a row does not have is missing.
        """
        import pandas as pd

        return pd.DataFrame.from_records(list(self._rows()))

    def _rows(self) -> Iterator[dict[str, Any]]:
        for run in self.runs:
            for result in run.cases:
                common = _of_case(run, result)
                for sample in result.samples:
                    yield common | _of_sample(sample, twin=False)
                for sample in result.twin:
                    yield common | _of_sample(sample, twin=True)


def load(path_or_folder: str | Path) -> Runs:
    """Read one run file, or all run files of a folder, oldest first.

    Raises:
        UsageError: nothing is there, or a file is not a run file.
    """
    path = Path(path_or_folder)
    if not path.is_dir():
        return Runs([run_file.read(path)])
    files = all_runs(path)
    if not files:
        raise UsageError(f"there are no run files in {path}")
    return Runs([run for _, run in readable(files)])


def _of_case(run: Run, result: CaseResult) -> dict[str, Any]:
    environment = run.fingerprints.get(result.fingerprint)
    return {
        "run": run.id,
        "experiment": result.case.experiment,
        "lab": result.case.lab,
        "clock": result.case.clock,
        "kernel": environment.kernel if environment else None,
        "status": result.status,
        **{f"param.{name}": value for name, value in result.case.params.items()},
    }


def _of_sample(sample: Sample, *, twin: bool) -> dict[str, Any]:
    return {
        "twin": twin,
        "block": sample.block,
        "turn": sample.turn,
        "started": sample.started,
        "duration": sample.duration,
        "replaced": sample.replaced,
        "disturbed": bool(sample.disturbances),
        **{f"witness.{name}": share for name, share in sample.witness.items()},
        **sample.values,
    }
