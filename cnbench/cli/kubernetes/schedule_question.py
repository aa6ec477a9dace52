"""What ``cnbench schedule`` asks: a world, a scheduler for it, and its alternatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnbench.core.errors import UsageError
from cnbench.scheduler.cluster import Cluster
from cnbench.scheduler.engine import DEFAULT_RELEASE, Scheduler
from cnbench.scheduler.inputs.configuration import profile_from_dict
from cnbench.scheduler.inputs.files import ClusterFile, read_cluster, read_one
from cnbench.scheduler.inputs.kubernetes import pod_from_dict
from cnbench.scheduler.inputs.openb import load_trace
from cnbench.scheduler.model.objects import Pod
from cnbench.scheduler.profiles import Profile
from cnbench.scheduler.questions.explanation import Explanation, explain
from cnbench.scheduler.questions.what_if import Outcome, settle
from cnbench.scheduler.questions.world import World
from cnbench.scheduler.releases import parse_release


@dataclass(frozen=True)
class Source:
    """Where nodes and pods come from: a file of objects, or two lists of a trace.

    Attributes:
        world: nodes and pods.
        file: the file, or None for a trace.
    """

    world: World
    file: ClusterFile | None

    @classmethod
    def of(cls, cluster: Path | None, trace: Path | None, nodes: str, pods: str) -> Source:
        """Read what was given.

        Raises:
            UsageError: both were given, or neither.
            SchedulerInputError: it cannot be read, or is malformed.
        """
        if cluster is not None and trace is None:
            found = read_cluster(cluster)
            return cls(found.world, found)
        if trace is not None and cluster is None:
            read = load_trace(trace, nodes=nodes, pods=pods)
            return cls(World(read.nodes, pending=read.pods), None)
        remedy = "--from FILE or --trace FOLDER"
        raise UsageError("schedule: give either a cluster or a trace", remedy)

    def pod(self, path: Path) -> Pod:
        """The pod of a file.

        Raises:
            SchedulerInputError: it is malformed.
        """
        given = read_one(path)
        return pod_from_dict(given) if self.file is None else self.file.pod(given)


@dataclass(frozen=True)
class Alternative:
    """What another release, or another weight, would answer.

    Attributes:
        what: the difference, as it was asked for.
        answer: the answer.
    """

    what: str
    answer: Explanation


@dataclass(frozen=True)
class Answer:
    """An answer and its alternatives."""

    main: Explanation
    others: tuple[Alternative, ...]

    def as_json(self) -> dict[str, object]:
        """As one JSON object."""
        others = [
            {
                "with": other.what,
                "node": other.answer.node,
                "changes": other.answer.node != self.main.node,
                "answer": other.answer.as_json(),
            }
            for other in self.others
        ]
        return {**self.main.as_json(), "others": others}


class Question:
    """A world and the scheduler that is asked about it.

    Args:
        source: nodes and pods.
        release: the release; None for the source's own, or else the default.
        config: a KubeSchedulerConfiguration, or None.
        profile: the profile in it, by schedulerName.
        weights: weights that differ from the profile's.

    Attributes:
        world: nodes and pods, as they are by now.
        release: the release.
    """

    def __init__(
        self,
        source: Source,
        release: str | None,
        config: Path | None,
        profile: str,
        weights: Mapping[str, int],
    ) -> None:
        self.world = source.world
        of_source = source.file.release if source.file else None
        self._release = release or of_source or DEFAULT_RELEASE
        self.release = parse_release(self._release)
        self._configuration = read_one(config) if config else None
        self._profile_name = profile
        self._weights = dict(weights)
        if profile and not config:
            raise UsageError(f"schedule: there is no profile {profile} without --config")

    def place(self) -> Outcome:
        """Place the pods that wait, in their order.

        Raises:
            SchedulerInputError: a pod has a field without which there is no answer.
        """
        self.world, outcome = settle(self.world, self._scheduler)
        return outcome

    def change(self, drained: Sequence[str], added: Sequence[str]) -> Outcome:
        """Add nodes, take some away, and place the pods that wait then.

        Returns:
            What became of these pods: first those of the nodes taken away.

        Raises:
            SchedulerInputError: a pod has a field without which there is no answer.
            UnknownNodeError: there is no such node.
            UsageError: what is to be added is not told as N=NODE.
        """
        for text in added:
            like, number = _parts(text, "--add-nodes", "3=node-1")
            self.world = self.world.with_nodes(_whole(number, text), like)
        for name in drained:
            self.world = self.world.drained(name)
        return self.place()

    def answer(
        self, pod: Pod, other_releases: Sequence[str], other_weights: Sequence[str]
    ) -> Answer:
        """What is answered about a pod, and what else would be.

        Raises:
            SchedulerInputError: the pod has a field without which there is no answer, or an
                alternative is none.
        """
        cluster = self.world.cluster()
        others = [
            Alternative(f"release {release}", explain(self._scheduler(cluster, release), pod))
            for release in other_releases
        ]
        for text in other_weights:
            name, weight = amount_of(text)
            scheduler = self._scheduler(cluster, weights={**self._weights, name: weight})
            others.append(Alternative(f"weight {text}", explain(scheduler, pod)))
        return Answer(explain(self._scheduler(cluster), pod), tuple(others))

    def _scheduler(
        self, cluster: Cluster, release: str = "", weights: Mapping[str, int] | None = None
    ) -> Scheduler:
        of_release = release or self._release
        given = self._weights if weights is None else weights
        return Scheduler(cluster, of_release, profile=self._profile(of_release), weights=given)

    def _profile(self, release: str) -> Profile | None:
        if self._configuration is None:
            return None
        return profile_from_dict(self._configuration, release, self._profile_name)


def amount_of(text: str) -> tuple[str, int]:
    """A score and its weight, from "ImageLocality=10".

    Raises:
        UsageError: it is not told in this way.
    """
    number, name = _parts(text, "a weight", "ImageLocality=10")
    return name, _whole(number, text)


def _parts(text: str, what: str, example: str) -> tuple[str, str]:
    """What stands behind "=", and before it."""
    before, equals, behind = text.partition("=")
    if not equals or not before or not behind:
        raise UsageError(f"schedule: {what} {text!r} cannot be read", f"write {example}")
    return behind, before


def _whole(number: str, text: str) -> int:
    if not number.isdecimal():
        raise UsageError(f"schedule: {number!r} in {text!r} is no whole number")
    return int(number)
