"""Which cases of two runs are the same, and in what their environments differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import product

from cnbench.analysis.rows import measured, metrics_of
from cnbench.core.case import Case
from cnbench.core.errors import NotComparableError
from cnbench.core.fingerprint import Difference, Fingerprint, differences
from cnbench.core.metric import ClockName, Metric
from cnbench.core.run import CaseResult, Run
from cnbench.store.columns import columns_of


def environment_differences(a: Run, b: Run) -> list[Difference]:
    """In what the environments of the two runs differ; essential things first.

    Those of the cases that would be compared with each other; of runs without any such case, all.
    """
    found: dict[tuple[str, str, str], Difference] = {}
    for one, other in _environments_to_compare(a, b):
        found |= {(d.what, d.one, d.other): d for d in differences(one, other)}
    return sorted(found.values(), key=lambda difference: not difference.essential)


def _environments_to_compare(a: Run, b: Run) -> Iterable[tuple[Fingerprint, Fingerprint]]:
    pairs: Iterable[tuple[str, str]] = dict.fromkeys(
        (before.fingerprint, after.fingerprint) for before, after, _ in matched(a, b)
    )
    for one, other in pairs or product(a.fingerprints, b.fingerprints):
        # A run that was cut short, or of an older cnbench, may lack one.
        if one in a.fingerprints and other in b.fingerprints:
            yield a.fingerprints[one], b.fingerprints[other]


def refuse_different_environments(a: Run, b: Run) -> None:
    """Raise NotComparableError where something in them could explain any effect."""
    essential = [d for d in environment_differences(a, b) if d.essential]
    if essential:
        listed = "; ".join(f"{d.what}: {d.one} and {d.other}" for d in essential[:3])
        more = f"; and {len(essential) - 3} more" if len(essential) > 3 else ""
        raise NotComparableError(
            f"the runs' environments differ in {listed}{more}",
            "if that is what you want to compare, add --force",
        )


def matched(a: Run, b: Run) -> list[tuple[CaseResult, CaseResult, Metric]]:
    """The cases that both runs have values of, once for each metric of both, in B's order."""
    of_a, of_b = ([result for result in run.cases if measured(result)] for run in (a, b))
    what = _naming([[result.case for result in results] for results in (of_a, of_b)])
    what = _whatever_the_file(what, {*a.request.inputs, *b.request.inputs})
    before = {what(result.case): result for result in of_a}
    return [
        (before[what(after.case)], after, metric)
        for after in of_b
        if what(after.case) in before
        for metric in metrics_of(b, after)
        if metric.name in columns_of(before[what(after.case)].samples).metrics
    ]


_Naming = Callable[[Case], tuple[str, ...]]

# What follows from a user's own file of services (see `cnbench.measuring.own_services`).
_FOLLOWING = {"service-routing": ("services", "endpoints")}


def _whatever_the_file(what: _Naming, inputs: AbstractSet[str]) -> _Naming:
    """``what``, but what is measured of a file has one name whatever was in the file.

    A user's file is called ``mine.yaml@DIGEST``. Two runs with two versions of it are compared to
    know what the change costs.
    """
    if not inputs:
        return what

    def name(case: Case) -> tuple[str, ...]:
        if not inputs & set(case.params.values()):
            return what(case)
        params = {
            parameter: str(value).rpartition("@")[0] if value in inputs else value
            for parameter, value in case.params.items()
            if parameter not in _FOLLOWING.get(case.experiment, ())
        }
        return what(replace(case, params=params))

    return name


def _naming(runs: Sequence[Sequence[Case]]) -> _Naming:
    """How cases are called so that those of several runs can be matched.

    By the place, too, for a clock that any of the runs was measured with in several places.
    """
    several: set[ClockName] = set()
    for cases in runs:
        places: dict[ClockName, set[tuple[str, str]]] = {}
        for case in cases:
            places.setdefault(case.clock, set()).add((case.lab, case.kernel))
        several |= {clock for clock, found in places.items() if len(found) > 1}

    def name(case: Case) -> tuple[str, ...]:
        place = (case.lab, case.kernel) if case.clock in several else ()
        return (case.point, case.clock, *place)

    return name
