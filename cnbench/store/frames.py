"""Runs as pandas frames: one row a sample, made column by column from the columns of run files."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnbench.core.errors import UsageError
from cnbench.core.parameter import Value
from cnbench.core.run import CaseResult, Run
from cnbench.store import run_file
from cnbench.store.columns import Columns, columns_of
from cnbench.store.runs import all_runs, readable

if TYPE_CHECKING:
    import pandas as pd

# What a row has not in a column of texts: not missing, or a groupby would leave the row out.
NONE = ""


class Runs:
    """Runs read from files; ``runs`` has them as dataclasses."""

    def __init__(self, runs: list[Run]) -> None:
        self.runs = runs

    def frame(self) -> pd.DataFrame:
        """A tidy frame, one row a sample, that can be written to Parquet and Feather as it is.

        Columns: ``run``, ``experiment``, ``lab``, ``clock``, ``kernel``, ``status``, ``node``, one
        ``param.NAME`` a parameter, ``twin`` (a sample of A′), ``block``, ``turn``, ``setup`` (-1
        where nobody noted it), ``repeat``, ``started`` and ``duration`` (seconds), ``replaced``,
        ``disturbed``, one ``witness.NAME`` a figure of the witness (shares of 1), and one column a
        metric, in base units.

        Texts are categories. A parameter is of one type: numbers where all rows have a number, else
        a category of texts. What a row does not have is NaN in a column of figures, and the empty
        text in a category, so that no row is lost when frames are grouped.

        Raises:
            UsageError: the samples of the only run are damaged; of several, such a run is left out
                with a warning.
        """
        import pandas as pd

        parts = list(self._parts())
        rows = _Rows(parts)
        frame: dict[str, Any] = {
            name: rows.category([part.texts[name] for part in parts])
            for name in ("run", "experiment", "lab", "clock", "kernel", "status", "node")
        }
        for name in _in_order(part.result.case.params for part in parts):
            of_each = [part.result.case.params.get(name, NONE) for part in parts]
            frame[f"param.{name}"] = rows.parameter(of_each)
        frame["twin"] = rows.repeated([part.twin for part in parts])
        for name in ("block", "turn", "setup", "repeat"):
            frame[name] = rows.joined(partial(_narrow, name))
        for name in ("started", "duration"):
            frame[name] = rows.joined(methodcaller("seconds", name))
        frame["replaced"] = rows.joined(lambda c: ~c.used)
        frame["disturbed"] = rows.joined(lambda c: c.disturbed)
        for name in _in_order(part.columns.witnesses for part in parts):
            frame[f"witness.{name}"] = rows.figures(Columns.witness, name, "witnesses")
        for name in _in_order(part.columns.metrics for part in parts):
            frame[name] = rows.figures(Columns.values, name, "metrics")
        return pd.DataFrame(frame, copy=False)

    def _parts(self) -> Iterator[_Part]:
        for run in self.runs:
            parts = [
                _Part(run, result, twin, columns_of(samples))
                for result in run.cases
                for twin, samples in ((False, result.samples), (True, result.twin))
                if samples
            ]
            try:
                if len(self.runs) > 1:
                    for part in parts:
                        part.columns.check()
            except UsageError as error:
                warnings.warn(f"left out: {error}", UserWarning, stacklevel=4)
                continue
            yield from parts


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


@dataclass(frozen=True)
class _Part:
    """The rows of one case, or of its twin."""

    run: Run
    result: CaseResult
    twin: bool
    columns: Columns

    @property
    def texts(self) -> dict[str, str]:
        """What all its rows have in common, but for the parameters."""
        case = self.result.case
        environment = self.run.fingerprints.get(self.result.fingerprint)
        return {
            "run": self.run.id,
            "node": self.run.node,
            "experiment": case.experiment,
            "lab": case.lab,
            "clock": case.clock,
            "kernel": environment.kernel if environment else NONE,
            "status": self.result.status,
        }


class _Rows:
    """Makes columns of the frame: each part's share of the rows, one after the other."""

    def __init__(self, parts: Sequence[_Part]) -> None:
        self._parts = parts
        self._counts = [len(part.columns) for part in parts]
        self._count = sum(self._counts)

    def category(self, of_each: Sequence[str]) -> pd.Categorical:
        """A text for each part."""
        import pandas as pd

        known = {text: code for code, text in enumerate(dict.fromkeys(of_each))}
        codes = np.array([known[text] for text in of_each], dtype=_index_type(len(known)))
        return pd.Categorical.from_codes(
            np.repeat(codes, self._counts), categories=pd.Index([*known], dtype="str")
        )

    def parameter(self, of_each: Sequence[Value]) -> Any:
        """A parameter's value for each part."""
        if any(isinstance(value, str) for value in of_each):
            return self.category([str(value) for value in of_each])
        whole = all(isinstance(value, int) and abs(value) < 1 << 63 for value in of_each)
        return self.repeated(np.array(of_each, dtype=np.int64 if whole else np.float64))

    def repeated(self, of_each: Any) -> Any:
        """A value for each part."""
        return np.repeat(np.asarray(of_each), self._counts)

    def joined(self, read: Callable[[Columns], Any]) -> Any:
        """A column that all parts have."""
        return np.concatenate([read(part.columns) for part in self._parts] or [np.array([])])

    def figures(self, read: Callable[[Columns, str], Any], name: str, among: str) -> Any:
        """A column of figures that some parts have."""
        found = np.full(self._count, np.nan)
        end = 0
        for part, count in zip(self._parts, self._counts, strict=True):
            end += count
            if name in getattr(part.columns, among):
                found[end - count : end] = read(part.columns, name)
        return found


def _narrow(name: str, columns: Columns) -> Any:
    return columns.whole(name).astype(np.int32)  # a run file has no more


def _in_order(names: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(name for several in names for name in several))


def _index_type(count: int) -> type[np.signedinteger[Any]]:
    return np.int8 if count < 1 << 7 else np.int16 if count < 1 << 15 else np.int32
