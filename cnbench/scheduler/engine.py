"""The scheduler: filter the nodes, score those that remain, take the best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

import numpy as np

from cnbench.scheduler import loops
from cnbench.scheduler.cluster import Cluster, PodShape
from cnbench.scheduler.columns.arrays import Codes, Ints, Mask
from cnbench.scheduler.model import checks
from cnbench.scheduler.model.objects import Pod
from cnbench.scheduler.node_selection import Selection, numbers_of
from cnbench.scheduler.plugins import (
    FIELD_FILTERS,
    FILTER_MODULES,
    ByFilter,
    ByScore,
)
from cnbench.scheduler.profiles import Profile, check_range, default_profile, overridden
from cnbench.scheduler.releases import parse_release
from cnbench.scheduler.results import FilterResult, Placement, Scores, Search
from cnbench.scheduler.sampling import EVERY_NODE, nodes_to_find
from cnbench.scheduler.scoring import Arithmetic, Total
from cnbench.scheduler.unheeded import tell
from cnbench.scheduler.view import View

DEFAULT_RELEASE = "1.30"


class Scheduler:
    """Chooses nodes for pods the way kube-scheduler does.

    Args:
        cluster: the nodes and the pods on them; `place` and `remove` change it.
        release: the Kubernetes release whose arithmetic and default profile to follow, such as
            "1.20" (see `releases.py` for what differs), from 1.20 to 1.36.
        profile: what to run and its settings (see `inputs/configuration.py`); None for the
            release's default profile. What is given below overrides it.
        filters: the filters to run, by today's or legacy names; None for the profile's.
        scores: the scores to run; None for the profile's. A score that the profile does not run
            has weight 1, or the weight the release gives it by default.
        weights: weights that differ from the profile's.
        hard_pod_affinity_weight: what a placed pod's required affinity term is worth, 0 to 100.
        resource_weights: the resources LeastAllocated, MostAllocated and BalancedAllocation look
            at, and what each is worth in the mean.
        percentage_of_nodes_to_score: how many feasible nodes `place` looks for before it scores:
            100 for every node, 0 for Kubernetes' adaptive percentage. None for the profile's,
            and for every node if that says nothing.
        seed: None takes the first of the best nodes; a number picks one of them at random, as
            kube-scheduler does, reproducibly.

    Raises:
        SchedulerInputError: an unknown plugin or release, or a weight out of range.
    """

    def __init__(
        self,
        cluster: Cluster,
        release: str = DEFAULT_RELEASE,
        *,
        profile: Profile | None = None,
        filters: Iterable[str] | None = None,
        scores: Iterable[str] | None = None,
        weights: Mapping[str, int] | None = None,
        hard_pod_affinity_weight: int | None = None,
        resource_weights: Mapping[str, int] | None = None,
        percentage_of_nodes_to_score: int | None = None,
        seed: int | None = None,
    ) -> None:
        checks.instance(cluster, Cluster, "scheduler", "cluster")
        self.cluster = cluster
        self.release = parse_release(release)
        chosen = overridden(
            profile or default_profile(self.release),
            self.release,
            filters=filters,
            scores=scores,
            weights=weights or {},
            hard_pod_affinity_weight=hard_pod_affinity_weight,
            resource_weights=resource_weights,
        )
        self.filters = chosen.filters
        # Most pods have none of the fields that the others are about.
        self._by_rules = tuple(name for name in self.filters if name not in FIELD_FILTERS)
        self._everywhere = dict.fromkeys(self.filters, cluster.everywhere)
        self.weights = dict(chosen.weights)
        self.scores = tuple(self.weights)
        self.settings = chosen.settings
        self.arithmetic = Arithmetic()
        self._whole = View(cluster, None, self.release, self.settings)
        share = percentage_of_nodes_to_score
        if share is None:
            share = chosen.percentage_of_nodes_to_score
        if share is None:
            share = EVERY_NODE
        check_range("percentage_of_nodes_to_score", share, 0, 100)
        self._enough = nodes_to_find(len(cluster), share)
        self._start = 0
        self._random = None if seed is None else np.random.default_rng(seed)

    def filter(self, pod: Pod) -> FilterResult:
        """Ask every filter about every node.

        Returns:
            The nodes the pod may go to (bool, one per node), and each filter's own answer.
            Unlike kube-scheduler, which stops at a node's first failing filter, all are asked.

        Raises:
            SchedulerInputError: the pod has a field without which there is no answer.
        """
        view, shape = self.view(), self._asked(pod)
        masks = self.masks(view, shape)
        by_plugin = ByFilter(self._everywhere)
        for name, mask in masks.items():
            if mask is not None:
                by_plugin[name] = mask
        explain = partial(self._reasons, shape, by_plugin)
        feasible = _all_of(view, masks.values())
        return FilterResult(feasible, by_plugin, self.cluster.node_names, explain)

    def score(self, pod: Pod, nodes: Selection = None) -> Scores:
        """Score nodes for a pod; nothing is changed.

        Args:
            pod: the pod.
            nodes: which nodes take part, as a boolean mask over all, as numbers or as names;
                normalising looks at these only. None scores every node, feasible or not; for what
                kube-scheduler would do pass `filter(pod)`.

        Returns:
            Raw, normalised and total scores, int64, in the order of the nodes asked for.

        Raises:
            SchedulerInputError: the mask is not of all nodes, a number is none of a node, or the
                pod has a field without which there is no answer.
            UnknownNodeError: there is no node of a name.
        """
        view = self.view(numbers_of(self.cluster, nodes))
        shape, total = self._asked(pod), Total(view)
        raw, normalised = ByScore[Ints](), ByScore[Ints]()
        for name, weight in self.weights.items():
            raw[name], normalised[name] = self.arithmetic.score(name, view, shape)
            total.add(normalised[name], weight)
        numbers = self.cluster.numbers if view.nodes is None else view.nodes
        names = self.cluster.node_names
        return Scores(
            numbers,
            names if view.nodes is None else [names[number] for number in numbers.tolist()],
            raw,
            normalised,
            ByScore(self.weights),
            total.sum(),
        )

    def choose(self, pod: Pod) -> Placement | None:
        """The node `place` would put the pod on, without putting it there; None if none fits.

        Raises:
            SchedulerInputError: the pod has a field without which there is no answer.
        """
        shape = self._asked(pod)
        found = self._search(shape)
        self._start = found.next_start
        nodes = found.feasible
        if nodes is not None and not len(nodes):
            return None
        view = self.view(nodes)
        total = self._totals(view, shape)
        best = self._pick(total)
        number = best if nodes is None else int(nodes[best])
        name = self.cluster.node_names[number]
        return Placement(pod, name, number, int(total[best]), view.size)

    def place(self, pod: Pod) -> Placement | None:
        """Put a pod on the best feasible node; None (and no change) if there is none.

        The best is the highest total among the feasible nodes looked at; between equals the node
        that comes first in the search decides, or chance if the scheduler has a seed.

        Raises:
            SchedulerInputError: the pod has no name, is placed already, or has a field without
                which there is no answer.
        """
        choice = self.choose(pod)
        if choice is not None:
            self.cluster.add(pod, choice.number)
        return choice

    def remove(self, pod: Pod | str) -> str:
        """Take a pod off its node; returns the node's name. See `Cluster.remove`.

        Raises:
            NotPlacedError: it is not placed.
        """
        return self.cluster.remove(pod)

    def view(self, nodes: Codes | None = None) -> View:
        """These nodes (None for all) under this scheduler's release and settings."""
        if nodes is not None:
            return View(self.cluster, nodes, self.release, self.settings)
        if self._whole.resources is not self.cluster.resources_in(self.release.minor):
            self._whole = View(self.cluster, None, self.release, self.settings)
        return self._whole

    def masks(self, view: View, shape: PodShape) -> dict[str, Mask | None]:
        """Each filter's answer over a view's nodes (bool); None where it admits all of them."""
        names = self.filters if shape.has_fields else self._by_rules
        return {name: FILTER_MODULES[name].feasible(view, shape) for name in names}

    def _totals(self, view: View, shape: PodShape) -> Ints:
        """The weighted sum of all scores; what each plugin answered is not kept."""
        total = Total(view)
        for name, weight in self.weights.items():
            total.add(self.arithmetic.score(name, view, shape).normalised, weight)
        return total.sum()

    def search(self, pod: Pod) -> Search:
        """The nodes `place` would look at for this pod now, and score; nothing is changed."""
        return self._search(self._asked(pod))

    def _asked(self, pod: Pod) -> PodShape:
        """The shape of a pod that is asked about, once what is not heeded of it has been told."""
        shape = self.cluster.shape(pod)
        tell(pod, shape, self.release)
        return shape

    def _search(self, shape: PodShape) -> Search:
        size = len(self.cluster)
        if self._enough < size:
            return self._search_in_turn(shape, size)
        view = self.view()
        feasible = _all_of(view, self.masks(view, shape).values())
        return Search(None, None if feasible.all() else feasible.nonzero()[0], self._start)

    def _search_in_turn(self, shape: PodShape, size: int) -> Search:
        """Look at nodes in turn, from where the last search ended, until enough are feasible."""
        found: list[Codes] = []
        missing, seen = self._enough, 0
        while missing and seen < size:
            # Looking twice costs about as much as looking far: the second time at all the rest.
            stretch = size - seen if seen else min(missing + missing // 8 + 16, size)
            nodes = (np.arange(stretch) + (self._start + seen)) % size
            view = self.view(nodes)
            fits = _all_of(view, self.masks(view, shape).values()).nonzero()[0][:missing]
            found.append(nodes[fits])
            missing -= len(fits)
            seen += stretch if missing else int(fits[-1]) + 1
        looked_at = (np.arange(seen) + self._start) % size
        return Search(looked_at, np.concatenate(found), (self._start + seen) % size)

    def _pick(self, total: Ints) -> int:
        if self._random is None:
            return int(total.argmax())
        return int(self._random.choice((total == total.max()).nonzero()[0]))

    def _reasons(self, shape: PodShape, masks: Mapping[str, Mask], which: int | str) -> list[str]:
        node = self.cluster.node_number(which)
        return [self._reason(name, shape, node) for name, mask in masks.items() if not mask[node]]

    def _reason(self, name: str, shape: PodShape, node: int) -> str:
        module = FILTER_MODULES[name]
        detail = getattr(module, "detail", None)
        text = detail(self.view(), shape, node) if detail else ""
        return f"{name}: {module.REASON}{f' ({text})' if text else ''}"


def _all_of(view: View, masks: Iterable[Mask | None]) -> Mask:
    """The nodes every filter admits, in an array of its own."""
    return loops.all_of([mask for mask in masks if mask is not None], view.size)
