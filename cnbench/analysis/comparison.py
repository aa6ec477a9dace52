"""Two results side by side: two runs, or two variants measured in the same blocks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cnbench.analysis.choice import ALL, Choice
from cnbench.analysis.compared import (
    BETWEEN_RUNS,
    BETWEEN_SETUPS,
    Compared,
    jointly,
    judged,
)
from cnbench.analysis.earlier_runs import NO_CENTRES, Centres, EarlierRuns
from cnbench.analysis.matching import matched, refuse_different_environments
from cnbench.analysis.observed import in_shared_blocks, observed_differences
from cnbench.analysis.rows import Row, measured, metrics_of, rows_by_name
from cnbench.core.case import Case
from cnbench.core.errors import UsageError
from cnbench.core.run import CaseResult, Run
from cnbench.stats.effects import (
    contrasts,
    effect_between_runs,
    effect_in_blocks,
    pooled_memory,
)
from cnbench.stats.observations import Observations


def compare_runs(
    a: Run,
    b: Run,
    *,
    margin: float | None,
    force: bool,
    floor: float | None = None,
    earlier: Sequence[Run] = (),
    choice: Choice = ALL,
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
        choice: what is compared; verdicts stand among what is chosen.

    Raises:
        NotComparableError: the environments differ in something that could explain any effect,
            and ``force`` is not given.
        UsageError: they have no case in common that both measured and that is chosen.
    """
    choice.require((a, b))
    chosen_of_a, chosen_of_b = choice.of(a), choice.of(b)
    if not force:
        refuse_different_environments(chosen_of_a, chosen_of_b)
    pairs = [pair for pair in matched(chosen_of_a, chosen_of_b) if choice.wants(pair[2])]
    if not pairs:
        raise _nothing_in_common(choice)
    known = EarlierRuns([run for run in earlier if run.id not in (a.id, b.id)])
    of_a, of_b = rows_by_name(a), rows_by_name(b)
    apart = [
        _Apart(
            of_a[before.case.key, metric.name],
            of_b[after.case.key, metric.name],
            observed_differences(before.samples, metric),
            observed_differences(after.samples, metric),
            known.centres(b.fingerprints.get(after.fingerprint), after.case, metric),
        )
        for before, after, metric in pairs
    ]
    return _compared_apart(apart, margin, floor)


def compare_cases(
    run: Run,
    pairs: Sequence[tuple[Case, Case]],
    *,
    paired: bool,
    margin: float | None,
    floor: float | None = None,
    choice: Choice = ALL,
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
    rows_and_results = [
        (rows[a.key, metric.name], rows[b.key, metric.name], results[a.key], results[b.key])
        for a, b in pairs
        for metric in metrics_of(run, results[b.key])
        if choice.wants(metric)
    ]
    if paired:
        alike = {name for name, record in run.experiments.items() if record.alike}
        shared = [_Shared.of(*matched) for matched in rows_and_results]
        return _compared_in_blocks(shared, alike, margin, floor)
    apart = [
        _Apart(
            row_a,
            row_b,
            observed_differences(one.samples, row_a.metric),
            observed_differences(other.samples, row_a.metric),
            NO_CENTRES,
        )
        for row_a, row_b, one, other in rows_and_results
    ]
    return _compared_apart(apart, margin, floor)


def _nothing_in_common(choice: Choice) -> UsageError:
    if choice == ALL:
        return UsageError(
            "the two runs have no case in common that both could measure",
            "run both with the same experiments and -p values, on the same clock and kernels",
        )
    return UsageError(
        "nothing that is chosen is in both runs, and was measured in both",
        "choose less narrowly: --metric, -p, --match; `cnbench show` lists a run's cases",
    )


@dataclass(frozen=True)
class _Apart:
    """A metric of a case in separate runs, and where earlier ones lie."""

    a: Row
    b: Row
    before: Observations
    after: Observations
    earlier: Centres


@dataclass(frozen=True)
class _Shared:
    """A metric of two cases that shared their blocks.

    ``reference`` is the one that was measured twice, if either was, and ``backwards`` whether that
    is B: it is known better for it, whichever side it is.
    """

    a: Row
    b: Row
    reference: Observations
    other: Observations
    twin: Observations | None
    backwards: bool

    @classmethod
    def of(cls, a: Row, b: Row, one: CaseResult, other: CaseResult) -> _Shared:
        backwards = bool(other.twin) and not one.twin
        first, second = (other, one) if backwards else (one, other)
        cases = [first.samples, second.samples, *([first.twin] if first.twin else [])]
        reference, held, *twin = in_shared_blocks(cases, a.metric)
        return cls(a, b, reference, held, twin[0] if twin else None, backwards)


def _compared_apart(
    found: Sequence[_Apart], margin: float | None, floor: float | None
) -> list[Compared]:
    series = [run for apart in found for side in (apart.before, apart.after) for run in side.by_run]
    memory = pooled_memory(series)
    compared = []
    for apart in found:
        effect = effect_between_runs(
            apart.before,
            apart.after,
            apart.earlier.every,
            repeated=apart.earlier.repeated,
            memory=memory,
        )
        unknown = "" if effect.known else BETWEEN_RUNS
        compared.append(judged(apart.a, apart.b, effect, unknown, margin, floor))
    return jointly(compared)


def _compared_in_blocks(
    found: Sequence[_Shared], alike: Collection[str], margin: float | None, floor: float | None
) -> list[Compared]:
    memory = pooled_memory(
        [
            series
            for shared in found
            for series in contrasts(shared.reference, shared.other, shared.twin)
        ]
    )
    compared = []
    for shared in found:
        effect = effect_in_blocks(shared.reference, shared.other, shared.twin, memory=memory)
        if shared.backwards:
            effect = effect.reversed()
        unknown = "" if effect.known or shared.b.case.experiment in alike else BETWEEN_SETUPS
        compared.append(judged(shared.a, shared.b, effect, unknown, margin, floor))
    return jointly(compared)
