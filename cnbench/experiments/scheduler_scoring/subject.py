"""A plugin, or a whole decision, on a made-up cluster."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from cnbench.core.errors import UsageError
from cnbench.core.parameter import Point
from cnbench.core.proof import Proof
from cnbench.experiments.scheduler_scoring import grid
from cnbench.experiments.scheduler_scoring.timing import (
    Effort,
    cost_of,
    effort_afresh,
    effort_again,
)
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab

if TYPE_CHECKING:
    from cnbench.scheduler.inputs.synthetic import Mix, Synthetic
    from cnbench.scheduler.reference.cluster import PlainCluster
    from cnbench.scheduler.timing.workload import Question

_PERCENTAGES = {"adaptive": 0, "all": 100}


@dataclass
class MadeUp:
    """A made-up cluster that the cases of a group share, and its plain twin for the proofs."""

    mix: Mix
    synthetic: Synthetic

    @cached_property
    def plain(self) -> PlainCluster:
        """The same cluster as lists, made at the first proof."""
        from cnbench.scheduler.reference.cluster import PlainCluster

        return PlainCluster.made(self.mix)


@dataclass
class QuestionSubject:
    """One question, asked again and again."""

    question: Question
    made_up: MadeUp
    known: bool
    clock: Clock
    _effort: Effort | None = field(default=None, init=False)

    def sample(self) -> Mapping[str, float]:
        """What one answer costs, and that over the nodes it is about."""
        cost = self._cost_again() if self.known else self._cost_afresh()
        return {"cost": cost, "per_node": cost / self.question.asked_about}

    def _cost_again(self) -> float:
        call = self.question.prepared()
        call()  # other cases were sampled since; of this one, such a pod has just been here
        if self._effort is None:
            self._effort = effort_again(call, self.clock)
        return cost_of(lambda: call, self._effort, self.clock)

    def _cost_afresh(self) -> float:
        if self._effort is None:
            self._effort = effort_afresh(self._forgotten, self.clock)
        return cost_of(self._forgotten, self._effort, self.clock)

    def _forgotten(self) -> Callable[[], object]:
        self.question.forget()
        return self.question.prepared()

    def proof(self) -> Proof:
        """What was looked up, and a sample of the answers beside those of plain loops."""
        from cnbench.experiments.scheduler_scoring.proof import checks, looked_up, worked_out

        remembered = looked_up if self.known else worked_out
        return Proof((remembered(self.question), *checks(self.question, self.made_up.plain)))


@contextlib.contextmanager
def open_question(params: Point, lab: Lab) -> Iterator[QuestionSubject]:
    """A question about a pod with every kind of rule, on a cluster shared with the group.

    Raises:
        UsageError: the pod fits on no node, so there is nothing to score.
    """
    from cnbench.scheduler import Scheduler
    from cnbench.scheduler.inputs.synthetic import demanding_pod
    from cnbench.scheduler.timing.workload import Question

    nodes, pods = params.whole("nodes"), params.whole("nodes") * params.whole("pods")
    # Forgetting what was asked leaves its traces in the process's memory: on a cluster of their own
    # known pods repeat to 0.1 % of instructions, on one shared with new ones to 5 %.
    made_up = lab.fixture((nodes, pods, params["shape"]), lambda: _made_up(nodes, pods))
    scheduler = Scheduler(
        made_up.synthetic.cluster,
        percentage_of_nodes_to_score=_PERCENTAGES[params.text("scored")],
        scores=grid.SCORES if params["plugin"] in grid.BY_NAME else None,
    )
    pod = demanding_pod(made_up.synthetic.templates)
    question = Question(scheduler, pod, params.text("plugin"), params.text("extension_point"))
    if not question.scored:
        raise UsageError(f"on {nodes} nodes with {pods} pods no node fits", "give more nodes")
    yield QuestionSubject(question, made_up, params["shape"] == grid.KNOWN, lab.clock)


@contextlib.contextmanager
def _made_up(nodes: int, pods: int) -> Iterator[MadeUp]:
    from cnbench.scheduler.inputs.synthetic import Mix, synthetic_cluster

    mix = Mix(nodes=nodes, pods=pods)
    yield MadeUp(mix, synthetic_cluster(mix))
