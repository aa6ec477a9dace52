"""A case that was measured several times round, as one result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from cnbench.core.errors import UsageError
from cnbench.core.proof import all_of
from cnbench.core.run import CaseResult, Request, Run, Sample
from cnbench.measuring.plan import Plan
from cnbench.measuring.planning import plan_for
from cnbench.store.columns import columns_of

Planner = Callable[[Request, Iterable[CaseResult]], Plan]


def plans_for(run: Run, planner: Planner | None = None) -> list[Plan]:
    """What is left to measure of each repeat of ``run``, with its share of the time.

    ``planner`` makes the plan for a request, less what is done of it; None has it made here.

    Raises:
        UsageError: what was asked for makes no sense.
        UnsupportedError: it needs a guest, which cannot be had here.
    """
    plans = []
    for repeat in range(run.request.repeats):
        done = [result for result in run.cases if has_repeat(result, repeat)]
        plan = (planner or plan_for)(run.request, done)
        budget = plan.budget and plan.budget / run.request.repeats
        # What repeats differ by is to be known, so each has set-ups of its own.
        plans.append(replace(plan, budget=budget, anew=repeat > 0))
    return plans


def with_repeats(request: Request, repeats: int | None) -> Request:
    """``request`` with more ``repeats``, each as long as those that it has; None leaves it alone.

    Raises:
        UsageError: it has more of them already.
    """
    if repeats is None:
        return request
    if repeats < request.repeats:
        raise UsageError(
            f"that run has {request.repeats} repeats, which is more than {repeats}",
            "leave out --repeat, or give a larger number",
        )
    budget = request.budget and request.budget * repeats / request.repeats
    return replace(request, repeats=repeats, budget=budget)


def with_repeat(known: CaseResult | None, found: CaseResult, repeat: int) -> CaseResult:
    """What is ``known`` of a case from earlier repeats, and what ``repeat`` (from 0) found of it.

    A repeat that was begun before is replaced. One that failed discredits the case: its status and
    reason are the result's, and all samples are kept.
    """
    found = _labelled(found, repeat)
    if known is None or known.status == "unsupported":
        return found
    samples, twin = _but(known.samples, repeat), _but(known.twin, repeat)
    if not samples:
        return found
    result = known
    if known.status == "ok" and found.status == "ok":
        proof = all_of([known.proof, found.proof], "repeats")
        result = replace(known, proof=proof, stopped=found.stopped)
    elif known.status == "ok":
        result = replace(found, reason=f"in repeat {repeat + 1}: {found.reason}")
    return replace(result, samples=(*samples, *found.samples), twin=(*twin, *found.twin))


def has_repeat(result: CaseResult, repeat: int) -> bool:
    """Whether ``repeat`` need not be measured again for this case."""
    if result.status == "unsupported":
        return True
    repeats = _repeats(result.samples)
    last = max(repeats, default=0)
    whole = repeat < last or result.stopped != "interrupted"
    return result.status == "ok" and repeat in repeats and whole


def _repeats(samples: Sequence[Sample]) -> set[int]:
    columns = columns_of(samples)
    if not samples:
        return set()
    return set(map(int, columns.read("repeat"))) if "repeat" in columns.names else {0}


def _but(samples: Sequence[Sample], repeat: int) -> tuple[Sample, ...]:
    return tuple(sample for sample in samples if sample.repeat != repeat)


def _labelled(result: CaseResult, repeat: int) -> CaseResult:
    return replace(
        result,
        samples=_with_label(result.samples, repeat),
        twin=_with_label(result.twin, repeat),
    )


def _with_label(samples: Sequence[Sample], repeat: int) -> Sequence[Sample]:
    if _repeats(samples) <= {repeat}:
        return samples
    return tuple(replace(sample, repeat=repeat) for sample in samples)
