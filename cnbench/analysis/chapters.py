"""Runs regrouped for a page: by experiment, then by case, wherever the case was measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from cnbench.analysis.number_format import value_text
from cnbench.analysis.rows import Row, rows_of
from cnbench.core.case import Case
from cnbench.core.fingerprint import Fingerprint
from cnbench.core.metric import ClockName, Metric
from cnbench.core.parameter import Value
from cnbench.core.run import CaseResult, ExperimentRecord, Run

# A label that is longer does not fit beside a plot.
_LONGEST_LABEL = 44
# The parts of a origin that a person knows it by.
_NAMING = ("run", "lab", "clock", "kernel")


@dataclass(frozen=True)
class Origin:
    """Where something was measured.

    Attributes:
        run: the letter of the run on this page; empty where there is only one.
        lab: ``host`` or ``guest``.
        clock: ``wall`` or ``instructions``.
        kernel: the kernel's release.
        environment: the digest of its fingerprint.
    """

    run: str
    lab: str
    clock: ClockName
    kernel: str
    environment: str


@dataclass(frozen=True)
class ChapterEntry:
    """One case at one origin: a row a metric, and all that the run file says about it."""

    run: Run
    origin: Origin
    result: CaseResult
    rows: tuple[Row, ...]

    @property
    def case(self) -> Case:
        """The point of the grid."""
        return self.result.case

    @property
    def ok(self) -> bool:
        """Whether there is anything to show in a table or a plot."""
        return self.result.status == "ok" and any(row.interval for row in self.rows)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that it has values of."""
        return tuple(row.metric.name for row in self.rows if row.interval)

    def row(self, metric: str) -> Row | None:
        """The row of a metric, or None where it has no values."""
        return next((r for r in self.rows if r.metric.name == metric and r.interval), None)


@dataclass(frozen=True)
class Chapter:
    """One experiment, in all runs of the page; ``measured`` has equal points side by side."""

    name: str
    record: ExperimentRecord
    measured: tuple[ChapterEntry, ...]
    environments: dict[str, Fingerprint]

    @property
    def ok(self) -> list[ChapterEntry]:
        """What has results."""
        return [entry for entry in self.measured if entry.ok]

    @cached_property
    def origins(self) -> list[Origin]:
        """Where the results are from, in the order of the runs; without results, all origins."""
        return list(dict.fromkeys(entry.origin for entry in self.ok or self.measured))

    @cached_property
    def varying(self) -> list[str]:
        """The parameters that distinguish its cases."""
        return [name for name, values in self._values.items() if len(values) > 1]

    @property
    def constant(self) -> dict[str, str]:
        """The parameters that are the same in all its cases, as a person writes them."""
        return {
            name: self.show(name, next(iter(values)))
            for name, values in self._values.items()
            if len(values) == 1
        }

    @cached_property
    def _values(self) -> dict[str, dict[Value, None]]:
        found: dict[str, dict[Value, None]] = {name: {} for name in self.record.parameters}
        for entry in self.measured:
            for name, value in entry.case.params.items():
                found.setdefault(name, {})[value] = None
        return {name: values for name, values in found.items() if values}

    def values(self, parameter: str) -> list[Value]:
        """The values of a parameter in the cases that have results, numbers in rising order."""
        found = list(
            dict.fromkeys(o.case.params[parameter] for o in self.ok if parameter in o.case.params)
        )
        numbers = sorted(value for value in found if not isinstance(value, str))
        return [*numbers, *(value for value in found if isinstance(value, str))]

    def show(self, parameter: str, value: Value | None) -> str:
        """A parameter's value as a person writes it; empty where a case does not have it."""
        return "" if value is None else value_text(value, self.record.parameters.get(parameter, ""))

    def label(self, case: Case) -> str:
        """The short name of a case: what varies alone, numbers with their parameter's name."""
        parts = [
            value if isinstance(value, str) else f"{name} {self.show(name, value)}"
            for name in self.varying
            if (value := case.params.get(name)) is not None
        ]
        return " · ".join(parts) or self.name

    def origin_label(self, origin: Origin) -> str:
        """The short name of a origin: only that in which the origins of the chapter differ."""
        if origin not in self.origins:
            return origin.run
        parts = [part for part in _NAMING if len({getattr(p, part) for p in self.origins}) > 1]
        # The digest says little to a person, so it is for origins that nothing else tells apart.
        if len({tuple(getattr(p, part) for part in parts) for p in self.origins}) < len(
            self.origins
        ):
            parts.append("environment")
        return " · ".join(filter(None, (str(getattr(origin, part)) for part in parts)))

    def metrics(self) -> list[tuple[Metric, ClockName]]:
        """Each metric on each clock it was measured with: what can share an axis."""
        clocks = dict.fromkeys(entry.origin.clock for entry in self.ok)
        return [(metric, clock) for metric in self.record.metrics for clock in clocks]

    def having(self, metric: str) -> Chapter:
        """Its cases that have a result for ``metric``, as a chapter of their own."""
        return replace(self, measured=tuple(entry for entry in self.ok if entry.row(metric)))

    def kinds(self) -> list[Chapter]:
        """Its results in chapters of one clock and one set of metrics: what can share a table."""
        alike: dict[tuple[str, tuple[str, ...]], list[ChapterEntry]] = {}
        for entry in self.ok:
            alike.setdefault((entry.origin.clock, entry.metrics), []).append(entry)
        return [
            replace(
                self,
                record=replace(
                    self.record,
                    metrics=tuple(m for m in self.record.metrics if m.name in metrics),
                ),
                measured=tuple(ones),
            )
            for (_, metrics), ones in alike.items()
        ]

    def what_sets_apart(self, kind: Chapter) -> str:
        """What varies in this chapter, but not in its part ``kind``."""
        parts = [f"{name} {kind.constant[name]}" for name in self.varying if name in kind.constant]
        if len(kind.origins) < len(self.origins) and len(kind.origins) == 1:
            parts.append(self.origin_label(kind.origins[0]))
        return ", ".join(parts)


def chapters_of(runs: Sequence[Run]) -> list[Chapter]:
    """The experiments of the runs, in their order; one without any case is left out."""
    measured: dict[str, list[ChapterEntry]] = {}
    records: dict[str, ExperimentRecord] = {}
    for index, run in enumerate(runs):
        for entry in _measured(run, letter(index) if len(runs) > 1 else ""):
            measured.setdefault(entry.case.experiment, []).append(entry)
            records.setdefault(entry.case.experiment, run.experiments[entry.case.experiment])
    environments = {digest: found for run in runs for digest, found in run.fingerprints.items()}
    return [
        Chapter(name, records[name], tuple(_side_by_side(ones)), environments)
        for name, ones in measured.items()
    ]


def letter(index: int) -> str:
    """How the page calls its runs: A, B, …; after Z by number."""
    return chr(ord("A") + index) if index < 26 else str(index + 1)


def shorten(text: str, longest: int = _LONGEST_LABEL) -> str:
    """``text`` on one line that fits beside a plot."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def _measured(run: Run, called: str) -> list[ChapterEntry]:
    rows: dict[str, list[Row]] = {}
    for row in rows_of(run):
        rows.setdefault(row.case.key, []).append(row)
    return [
        ChapterEntry(run, _place(run, result, called), result, tuple(rows.get(result.case.key, ())))
        for result in run.cases
    ]


def _place(run: Run, result: CaseResult, called: str) -> Origin:
    environment = run.fingerprints.get(result.fingerprint)
    return Origin(
        run=called,
        lab=result.case.lab,
        clock=result.case.clock,
        kernel=environment.kernel if environment else result.case.kernel,
        environment=result.fingerprint,
    )


def _side_by_side(measured: Iterable[ChapterEntry]) -> list[ChapterEntry]:
    """The same, with equal points of different origins next to each other."""
    by_point: dict[str, list[ChapterEntry]] = {}
    for entry in measured:
        by_point.setdefault(entry.case.point, []).append(entry)
    return [entry for ones in by_point.values() for entry in ones]
