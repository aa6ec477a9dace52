"""The proof of a question: its answers beside those of plain loops over the same cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from cnbench.core.proof import Check, equal, true
from cnbench.experiments.scheduler_scoring import grid
from cnbench.scheduler.reference.cluster import PlainCluster, PlainFilters
from cnbench.scheduler.reference.scores import PlainScores

if TYPE_CHECKING:
    from cnbench.scheduler import Placement
    from cnbench.scheduler.columns.arrays import Codes, Mask
    from cnbench.scheduler.scoring import Scored
    from cnbench.scheduler.timing.workload import Question

# Of so many nodes, from the first to the last, plain loops check the answers.
_CHECKED = 24


def looked_up(question: Question) -> Check:
    """That a known pod's question finds what it needs, and adds nothing to what is kept."""
    question.prepared()()
    kept = question.scheduler.cluster.kept
    question.prepared()()
    made = question.scheduler.cluster.kept - kept
    return equal("answers that asking once more had to work out and keep", 0, made)


def worked_out(question: Question) -> Check:
    """That nothing is there to look up when a new pod's question is asked."""
    question.forget()
    return equal("answers kept when it is asked", 0, question.scheduler.cluster.kept)


def checks(question: Question, plain: PlainCluster) -> tuple[Check, ...]:
    """A sample of a question's answers beside those of plain loops."""
    if question.plugin == grid.DECISION:
        return _of_the_decision(question, plain)
    if question.extension_point == grid.FILTER:
        return (_of_the_filter(question, plain),)
    return _of_the_score(question, plain)


def _of_the_filter(question: Question, plain: PlainCluster) -> Check:
    numbers = _numbers(question.nodes, plain)
    mask = cast("Mask | None", question.prepared()())
    answers = [True] * len(numbers) if mask is None else mask.tolist()
    loops = PlainFilters(plain, question.pod)
    sample = _spread_over(numbers)
    return equal(
        f"the filter's answers for {len(sample)} of {len(numbers)} nodes are a plain loop's",
        [loops.feasible(question.plugin, numbers[place]) for place in sample],
        [answers[place] for place in sample],
    )


def _of_the_score(question: Question, plain: PlainCluster) -> tuple[Check, ...]:
    numbers = _numbers(question.nodes, plain)
    scored = cast("Scored", question.prepared()())
    raw = dict(zip(numbers, scored.raw.tolist(), strict=True))
    normalised = dict(zip(numbers, scored.normalised.tolist(), strict=True))
    loops = PlainScores(plain, question.pod, numbers)
    sample = [numbers[place] for place in _spread_over(numbers)]
    of = f"{len(sample)} of {len(numbers)} nodes"
    return (
        equal(
            f"the raw scores of {of} are a plain loop's",
            [loops.raw(question.plugin, node) for node in sample],
            [raw[node] for node in sample],
        ),
        equal(
            f"the normalised scores of {of} are a plain loop's",
            [loops.normalised(question.plugin, node, raw) for node in sample],
            [normalised[node] for node in sample],
        ),
    )


def _of_the_decision(question: Question, plain: PlainCluster) -> tuple[Check, ...]:
    scheduler, pod = question.scheduler, question.pod
    feasible = scheduler.search(pod).feasible
    numbers = _numbers(feasible, plain)
    scores = scheduler.score(pod, feasible if feasible is None else numbers)
    choice = cast("Placement", question.prepared()())
    raw = {
        plugin: dict(zip(numbers, answer.tolist(), strict=True))
        for plugin, answer in scores.raw.items()
    }
    filters, loops = PlainFilters(plain, pod), PlainScores(plain, pod, numbers)

    def total(node: int) -> int:
        for plugin in scores.weights:
            raw[plugin][node] = loops.raw(plugin, node)
        return sum(
            weight * loops.normalised(plugin, node, raw[plugin])
            for plugin, weight in scores.weights.items()
        )

    sample = [numbers[place] for place in _spread_over(numbers)]
    return (
        equal("nodes scored", len(numbers), choice.feasible),
        true(
            "plain loops find that the node chosen passes every filter",
            choice.node,
            all(filters.feasible(name, choice.number) for name in grid.FILTERS),
        ),
        equal("the total of the node chosen, in plain loops", total(choice.number), choice.score),
        true(
            f"plain loops find none better among {len(sample)} of {len(numbers)} feasible nodes",
            f"best of them {max(map(total, sample))}, chosen {choice.score}",
            max(map(total, sample)) <= choice.score,
        ),
    )


def _numbers(nodes: Codes | None, plain: PlainCluster) -> list[int]:
    numbers: list[int] = list(range(len(plain.nodes))) if nodes is None else nodes.tolist()
    return numbers


def _spread_over(numbers: Sequence[int]) -> list[int]:
    """Places in ``numbers`` from the first to the last, at equal distances."""
    last, most = len(numbers) - 1, min(_CHECKED, len(numbers))
    return sorted({last * turn // max(most - 1, 1) for turn in range(most)})
