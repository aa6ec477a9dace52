"""A case's profile, counted in a guest."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cnbench.analysis.profile.span import find_span
from cnbench.analysis.profile.stacks import stacks_of
from cnbench.analysis.profile.symbols import functions_of
from cnbench.analysis.profile.trace import read_trace
from cnbench.core.case import Case
from cnbench.core.errors import CnbenchError
from cnbench.core.run import CaseResult
from cnbench.experiments.registry import experiment_called
from cnbench.measuring.guests.tracing import TRACED_BLOCKS, trace
from cnbench.measuring.plan import Plan
from cnbench.store.profiles import Profile


def profile_counted(plan: Plan, metric: str | None, tell: Callable[[str], None]) -> Profile:
    """Where the instructions of the one case of ``plan`` go, which are its ``metric``.

    None stands for the first that the case has.

    Raises:
        CnbenchError: the case failed, or its figure is no difference of two readings of the clock.
        GuestError: the guest came to a bad end.
        UnsupportedError: it cannot be had, or there is no C compiler.
    """
    (group,) = plan.groups
    with tempfile.NamedTemporaryFile(prefix="cnbench-trace-") as file:
        traced = trace(plan, group.venue, file, tell)
        (result,) = traced.results
        metric, figures = _figures(result, metric)
        tell("finding what the figure stands for")
        found = read_trace(Path(file.name))
    span = find_span(found, figures)
    if span is None:
        raise CnbenchError(
            f"{metric} is no difference of two readings of the clock, within half a percent:"
            f" it was {figures[0]:,.0f} instructions",
            "profile another metric: --metric NAME",
        )
    stacks = stacks_of(found, span, functions_of(traced.functions))
    return Profile(
        case=result.case,
        metric=metric,
        release=traced.release,
        figure=span.figure,
        stacks={";".join(stack): count for stack, count in stacks.items()},
        taken=datetime.now().astimezone().isoformat(timespec="seconds"),
    )


def _figures(result: CaseResult, metric: str | None) -> tuple[str, list[float]]:
    """The metric, and its figures of the samples that were traced, A′'s too."""
    if result.status != "ok":
        raise CnbenchError(result.reason, result.remedy)
    samples = [
        sample
        for taken in (result.samples, result.twin)
        for sample in taken
        if sample.block < TRACED_BLOCKS
    ]
    metric = metric or next(iter(samples[0].values))
    size = bytes_of(result.case, metric)
    having = [sample.values[metric] * size for sample in samples if metric in sample.values]
    if not having:
        raise CnbenchError(
            f"{result.case.point} has no {metric}",
            f"it has {', '.join(samples[0].values)}: --metric NAME",
        )
    return metric, having


def bytes_of(case: Case, metric: str) -> float:
    """What a figure is divided by, so that it is instructions again: of a cost by the byte, bytes.

    Those that the case names, where it names one number of them; 1 for any other figure.
    """
    experiment = experiment_called(case.experiment)
    sizes = [p.name for p in experiment.parameters if p.unit == "B"]
    by_the_byte = any(one.name == metric and one.unit == "s/B" for one in experiment.metrics)
    return float(case.params[sizes[0]]) if by_the_byte and len(sizes) == 1 else 1.0
