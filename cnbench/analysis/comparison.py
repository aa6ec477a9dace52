"""Two results side by side: two runs, or two variants measured in the same blocks."""

from __future__ import annotations

from collections.abc import Sequence

from cnbench.analysis.compared import (
    BETWEEN_RUNS,
    BETWEEN_SETUPS,
    Compared,
    judged,
    jointly,
)
from cnbench.analysis.earlier_runs import EarlierRuns
from cnbench.analysis.matching import matched, refuse_different_environments
from cnbench.analysis.observed import in_shared_blocks, observed_differences
from cnbench.analysis.rows import Row, measured, metrics_of, rows_by_name
from cnbench.core.case import Case
from cnbench.core.errors import UsageError
from cnbench.core.run import CaseResult, Run
from cnbench.stats.arrays import Floats
from cnbench.stats.effects import effect_between_runs, effect_in_blocks


def compare_runs(
    a: Run,
    b: Run,
    *,
    margin: float | None,
    force: bool,
    floor: float | None = None,
    earlier: Sequence[Run] = (),
) -> list[Compared]:
    """What changed from run A to run B, case by case.

    A case is compared with the same point on the same clock, in the same lab and on the same
    kernel; the latter two may differ where each run has all of that clock in a single place, which
    the environments then say.

    Args:
        a: the reference.
        b: what is held against it.
        margin: the smallest effect that matters; None for ``DEFAULT_MARGIN``.
        force: compare what was measured in environments that differ.
        floor: the smallest effect that is called where the spread between runs is unknown; None
            for ``DEFAULT_FLOOR``.
        earlier: runs of the same environment that tell what two runs of the same differ by; those
            of another environment are left out, and so are A and B.

    Raises:
        NotComparableError: the environments differ in something that could explain any effect,
            and ``force`` is not given.
        UsageError: they have no case in common that both measured.
    """
    if not force:
        refuse_different_environments(a, b)
    pairs = matched(a, b)
    if not pairs:
        raise UsageError(
            "the two runs have no case in common that both could measure",
            "run both with the same experiments and -p values, on the same clock and kernels",
        )
    known = EarlierRuns([run for run in earlier if run.id not in (a.id, b.id)])
    of_a, of_b = rows_by_name(a), rows_by_name(b)
    return jointly(
        [
            _unpaired(
                (of_a[before.case.key, metric.name], before),
                (of_b[after.case.key, metric.name], after),
                margin,
                floor,
                known.centres(b.fingerprints.get(after.fingerprint), after.case, metric),
            )
            for before, after, metric in pairs
        ]
    )


def compare_cases(
    run: Run,
    pairs: Sequence[tuple[Case, Case]],
    *,
    paired: bool,
    margin: float | None,
    floor: float | None = None,
) -> list[Compared]:
    """What B costs against A for each of ``pairs``, all measured in ``run``.

    If ``paired`` they were measured in the same blocks. The other arguments are those of
    ``compare_runs``.

    Raises:
        UsageError: a case could not be measured; the message says why.
    """
    results = {result.case.key: result for result in run.cases}
    for case in (case for pair in pairs for case in pair):
        result = results[case.key]
        if not measured(result):
            raise UsageError(f"{case.point}: {result.reason}", result.remedy)
    rows = rows_by_name(run)
    compared = []
    for a, b in pairs:
        one, other = results[a.key], results[b.key]
        alike = bool(run.experiments[a.experiment].alike)
        for metric in metrics_of(run, other):
            before, after = (rows[a.key, metric.name], one), (rows[b.key, metric.name], other)
            compared.append(
                _paired(before, after, margin, floor, alike)
                if paired
                else _unpaired(before, after, margin, floor, None)
            )
    return jointly(compared)


_Measured = tuple[Row, CaseResult]


def _paired(
    a: _Measured, b: _Measured, margin: float | None, floor: float | None, alike: bool
) -> Compared:
    metric = a[0].metric
    samples = [a[1].samples, b[1].samples]
    # The group's reference was measured twice, and is known better for it, whichever side it is.
    if a[1].twin:
        effect = effect_in_blocks(*in_shared_blocks([*samples, a[1].twin], metric))
    elif b[1].twin:
        one, other, twin = in_shared_blocks([*samples, b[1].twin], metric)
        effect = effect_in_blocks(other, one, twin).reversed()
    else:
        effect = effect_in_blocks(*in_shared_blocks(samples, metric))
    unknown = "" if effect.known or alike else BETWEEN_SETUPS
    return judged(a[0], b[0], effect, unknown, margin, floor)


def _unpaired(
    a: _Measured,
    b: _Measured,
    margin: float | None,
    floor: float | None,
    earlier: Floats | None,
) -> Compared:
    metric = a[0].metric
    effect = effect_between_runs(
        observed_differences(a[1].samples, metric),
        observed_differences(b[1].samples, metric),
        earlier,
    )
    return judged(a[0], b[0], effect, "" if effect.known else BETWEEN_RUNS, margin, floor)
