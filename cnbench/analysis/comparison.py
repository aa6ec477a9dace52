"""Two results side by side: two runs, or two variants measured in the same blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from cnbench.analysis.rows import Row, finite, metrics_of, rows_of, values_in_pairs
from cnbench.core.case import Case
from cnbench.core.errors import NotComparableError, UsageError
from cnbench.core.fingerprint import Difference, Fingerprint, differences
from cnbench.core.metric import ClockName, Metric
from cnbench.core.run import CaseResult, Run
from cnbench.stats.intervals import Interval
from cnbench.stats.paired import paired_effect, unpaired_effect
from cnbench.stats.verdict import Judgement, Verdict, judge

# The smallest effect that matters unless --fail-on says otherwise. Wall-clock medians of separate
# runs move by a per cent or two on shared machines; instruction counts do not.
DEFAULT_MARGIN: Mapping[str, float] = {"wall": 0.02, "instructions": 0.005}


@dataclass(frozen=True)
class Compared:
    """One metric of one case, in A and in B.

    ``effect`` is B over A for a ratio metric and B minus A for an additive one; ``noise`` is the
    larger of the two noise floors, None where neither is known.
    """

    a: Row
    b: Row
    effect: Interval
    noise: float | None
    margin: float
    judgement: Judgement

    @property
    def metric(self) -> Metric:
        """What was measured."""
        return self.a.metric

    def as_json(self) -> dict[str, Any]:
        """B's row, with A's median, the effect, its interval and the verdict."""
        return self.b.as_json() | {
            "reference": self.a.as_json(),
            "ratio": finite(self.effect.estimate),
            "low": finite(self.effect.low),
            "high": finite(self.effect.high),
            "noise": finite(self.noise),
            "margin": self.margin,
            "verdict": self.judgement.verdict.value,
            "reason": self.judgement.reason,
        }


def compare_runs(a: Run, b: Run, *, margin: float | None, force: bool) -> list[Compared]:
    """What changed from run A to run B, case by case.

    A case is compared with the same point on the same clock, in the same lab and on the same
    kernel; the latter two may differ where each run has all of that clock in a single place, which
    the environments then say.

    Raises:
        NotComparableError: the environments differ in something that could explain any effect,
            and ``force`` is not given.
        UsageError: they have no case in common that both measured.
    """
    if not force:
        _refuse_different_environments(a, b)
    matched = _matched(a, b)
    if not matched:
        raise UsageError(
            "the two runs have no case in common that both could measure",
            "run both with the same experiments and -p values, on the same clock and kernels",
        )
    return [_unpaired(before, after, margin) for before, after in matched]


def compare_cases(
    run: Run, a: Case, b: Case, *, paired: bool, margin: float | None
) -> list[Compared]:
    """What B costs against A, both measured in ``run``, and if ``paired`` in the same blocks.

    Raises:
        UsageError: one of them could not be measured; the message says why.
    """
    results = {result.case.key: result for result in run.cases}
    one, other = results[a.key], results[b.key]
    for result in (one, other):
        if result.status != "ok":
            raise UsageError(f"{result.case.point}: {result.reason}", result.remedy)
    rows = {(row.case.key, row.metric.name): row for row in rows_of(run)}
    both = [
        (rows[a.key, metric.name], rows[b.key, metric.name]) for metric in metrics_of(run, other)
    ]
    if paired:
        return [_paired(one, other, row_a, row_b, margin) for row_a, row_b in both]
    return [_unpaired(row_a, row_b, margin) for row_a, row_b in both]


def overall(compared: Sequence[Compared]) -> Verdict:
    """The verdict on all together: worse if any is, else inconclusive if any is, else the best."""
    verdicts = {one.judgement.verdict for one in compared}
    for verdict in (Verdict.WORSE, Verdict.INCONCLUSIVE, Verdict.BETTER):
        if verdict in verdicts:
            return verdict
    return Verdict.EQUIVALENT


def environment_differences(a: Run, b: Run) -> list[Difference]:
    """In what the environments of the two runs differ; essential things first.

    Those of the cases that would be compared with each other; of runs without any such case, all.
    """
    found: dict[tuple[str, str, str], Difference] = {}
    for one, other in _environments_to_compare(a, b):
        found |= {(d.what, d.one, d.other): d for d in differences(one, other)}
    return sorted(found.values(), key=lambda difference: not difference.essential)


def _environments_to_compare(a: Run, b: Run) -> Iterable[tuple[Fingerprint, Fingerprint]]:
    of_a, of_b = ({result.case.key: result.fingerprint for result in run.cases} for run in (a, b))
    pairs: Iterable[tuple[str, str]] = dict.fromkeys(
        (of_a[before.case.key], of_b[after.case.key]) for before, after in _matched(a, b)
    )
    for one, other in pairs or product(a.fingerprints, b.fingerprints):
        # A run that was cut short, or of an older cnbench, may lack one.
        if one in a.fingerprints and other in b.fingerprints:
            yield a.fingerprints[one], b.fingerprints[other]


def _refuse_different_environments(a: Run, b: Run) -> None:
    essential = [d for d in environment_differences(a, b) if d.essential]
    if essential:
        listed = "; ".join(f"{d.what}: {d.one} and {d.other}" for d in essential[:3])
        more = f"; and {len(essential) - 3} more" if len(essential) > 3 else ""
        raise NotComparableError(
            f"the runs' environments differ in {listed}{more}",
            "if that is what you want to compare, add --force",
        )


def _matched(a: Run, b: Run) -> list[tuple[Row, Row]]:
    """The rows of the two runs that have values and are of the same case and metric."""
    of_a, of_b = ([row for row in rows_of(run) if row.interval] for run in (a, b))
    what = _naming([of_a, of_b])
    before = {what(row): row for row in of_a}
    return [(before[what(row)], row) for row in of_b if what(row) in before]


def _naming(runs: Sequence[Sequence[Row]]) -> Callable[[Row], tuple[str, ...]]:
    """How rows are called so that those of several runs can be matched.

    By the place, too, for a clock that any of the runs was measured with in several places.
    """
    several: set[ClockName] = set()
    for rows in runs:
        places: dict[ClockName, set[tuple[str, str]]] = {}
        for row in rows:
            places.setdefault(row.clock, set()).add((row.case.lab, row.case.kernel))
        several |= {clock for clock, found in places.items() if len(found) > 1}

    def name(row: Row) -> tuple[str, ...]:
        place = (row.case.lab, row.case.kernel) if row.clock in several else ()
        return (row.case.point, row.clock, row.metric.name, *place)

    return name


def _paired(one: CaseResult, other: CaseResult, a: Row, b: Row, margin: float | None) -> Compared:
    effect = paired_effect(
        *values_in_pairs(one.samples, other.samples, a.metric.name),
        scale=a.metric.scale,
        better=a.metric.better,
    )
    return _judged(a, b, effect, margin)


def _unpaired(a: Row, b: Row, margin: float | None) -> Compared:
    effect = unpaired_effect(a.values, b.values, scale=a.metric.scale, better=a.metric.better)
    return _judged(a, b, effect, margin)


def _judged(a: Row, b: Row, effect: Interval, margin: float | None) -> Compared:
    margin = DEFAULT_MARGIN[b.clock] if margin is None else margin
    known = [row.noise for row in (a, b) if row.noise is not None]
    noise = max(known, default=None)
    judgement = judge(
        effect,
        margin=margin,
        noise=float("inf") if noise is None else noise,
        scale=a.metric.scale,
        better=a.metric.better,
        unit=b.unit,
    )
    return Compared(a, b, effect, noise, margin, judgement)
