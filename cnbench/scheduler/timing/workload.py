"""What is timed of a scheduler: one plugin at one extension point, or a whole decision.

A question is prepared, which is not timed, and then asked, as often as it takes. The nodes a plugin
is asked about are those of the decision: a filter about every node that the search looks at, a
score about those found feasible.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cnbench.scheduler.engine import Scheduler
from cnbench.scheduler.model.objects import Pod
from cnbench.scheduler.plugins import FILTER_MODULES

DECISION = "all"
FILTER = "filter"
SCORE = "score"


class Question:
    """One question about one pod.

    Args:
        scheduler: what is asked.
        pod: which pod it is about.
        plugin: a filter or a score by today's name, or ``all`` for the choice of a node.
        extension_point: ``filter`` or ``score``; a decision has both.

    Attributes:
        pod: the pod, without what would keep the plugin from working.
        asked_about: how many nodes the plugin answers for; for a decision, those looked at.
        scored: how many nodes a decision about the pod scores.
    """

    def __init__(self, scheduler: Scheduler, pod: Pod, plugin: str, extension_point: str) -> None:
        self.scheduler = scheduler
        self.pod = suitable(pod, plugin)
        self.plugin = plugin
        self.extension_point = extension_point
        found = scheduler.search(self.pod)
        self.nodes = found.feasible if extension_point == SCORE else found.looked_at
        self.asked_about = scheduler.view(self.nodes).size
        self.scored = scheduler.view(found.feasible).size

    def prepared(self) -> Callable[[], object]:
        """The question, ready to be asked; made anew after the cluster forgot its questions."""
        if self.plugin == DECISION:
            return lambda: self.scheduler.choose(self.pod)
        view = self.scheduler.view(self.nodes)
        shape = self.scheduler.cluster.shape(self.pod)
        if self.extension_point == FILTER:
            feasible = FILTER_MODULES[self.plugin].feasible
            return lambda: feasible(view, shape)
        score = self.scheduler.arithmetic.score
        return lambda: score(self.plugin, view, shape)

    def forget(self) -> None:
        """Have the scheduler work out everything when it is asked next, as for a new pod."""
        self.scheduler.cluster.forget_questions()


def suitable(pod: Pod, plugin: str) -> Pod:
    """The pod as a plugin can be measured with it.

    SelectorSpread gives 0 at once to pods that have topology spread constraints of their own.
    """
    return replace(pod, topology_spread_constraints=()) if plugin == "SelectorSpread" else pod
