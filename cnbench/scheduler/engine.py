"""The scheduler: filter the nodes, score those that remain, take the best."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np

from cnbench.scheduler.cluster import Cluster, Shape
from cnbench.scheduler.columns.arrays import Codes, Ints, Mask
from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.filters import node_resources_fit
from cnbench.scheduler.model import checks
from cnbench.scheduler.model.objects import Pod
from cnbench.scheduler.plugins import (
    DEFAULT_SCORES,
    DEFAULT_WEIGHTS,
    FILTER_MODULES,
    FILTERS,
    ByPlugin,
    filter_name,
    score_name,
)
from cnbench.scheduler.releases import parse_release
from cnbench.scheduler.results import FilterResult, Placement, Scores, Search
from cnbench.scheduler.sampling import EVERY_NODE, nodes_to_find
from cnbench.scheduler.scoring import Arithmetic, Total
from cnbench.scheduler.view import View

DEFAULT_RELEASE = "1.30"


class Scheduler:
    """Chooses nodes for pods the way kube-scheduler does.

    Args:
        cluster: the nodes and the pods on them; `place` and `remove` change it.
        release: the Kubernetes release whose arithmetic to follow, such as "1.20" (see
            `releases.py` for what differs).
        filters: the filters to run, by today's or legacy names; None for all five.
        scores: the scores to run; None for all but MostAllocated.
        weights: weights that differ from the defaults (TaintToleration 3; NodeAffinity,
            PodTopologySpread and InterPodAffinity 2; the others 1).
        hard_pod_affinity_weight: what a placed pod's required affinity term is worth, 0 to 100.
        resource_weights: the resources LeastAllocated, MostAllocated and BalancedAllocation look
            at, and what each is worth in the mean.
        percentage_of_nodes_to_score: how many feasible nodes `place` looks for before it scores:
            100 for every node, 0 for Kubernetes' adaptive percentage.
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
        filters: Iterable[str] | None = None,
        scores: Iterable[str] | None = None,
        weights: Mapping[str, int] | None = None,
        hard_pod_affinity_weight: int = 1,
        resource_weights: Mapping[str, int] | None = None,
        percentage_of_nodes_to_score: int = EVERY_NODE,
        seed: int | None = None,
    ) -> None:
        checks.instance(cluster, Cluster, "scheduler", "cluster")
        self.cluster = cluster
        self.release = parse_release(release)
        self.filters = _named("filters", filters, FILTERS, filter_name)
        self.scores = _named("scores", scores, DEFAULT_SCORES, score_name)
        self.weights = _weights(self.scores, weights or {})
        _check_range("hard_pod_affinity_weight", hard_pod_affinity_weight, 0, 100)
        _check_range("percentage_of_nodes_to_score", percentage_of_nodes_to_score, 0, 100)
        resources = {"cpu": 1, "memory": 1} if resource_weights is None else resource_weights
        for name, weight in resources.items():
            _check_range(f"resource_weights.{name}", weight, 1, 100)
        self.arithmetic = Arithmetic(tuple(resources.items()), hard_pod_affinity_weight)
        self._enough = nodes_to_find(len(cluster), percentage_of_nodes_to_score)
        self._start = 0
        self._random = None if seed is None else np.random.default_rng(seed)

    def filter(self, pod: Pod) -> FilterResult:
        """Ask every filter about every node.

        Returns:
            The nodes the pod may go to (bool, one per node), and each filter's own answer.
            Unlike kube-scheduler, which stops at a node's first failing filter, all are asked.
        """
        view, shape = self.view(), self.cluster.shape(pod)
        masks = self.masks(view, shape)
        feasible = _all_of(view, masks.values())
        shown = {name: _shown(view, mask) for name, mask in masks.items()}
        explain = partial(self._reasons, shape, shown)
        by_plugin = ByPlugin(shown, filter_name)
        return FilterResult(feasible, by_plugin, self.cluster.node_names, explain)

    def score(
        self, pod: Pod, nodes: Mask | Sequence[int] | Sequence[str] | FilterResult | None = None
    ) -> Scores:
        """Score nodes for a pod; nothing is changed.

        Args:
            pod: the pod.
            nodes: which nodes take part, as a boolean mask over all, as numbers or as names;
                normalising looks at these only. None scores every node, feasible or not; for what
                kube-scheduler would do pass `filter(pod)`.

        Returns:
            Raw, normalised and total scores, int64, in the order of the nodes asked for.

        Raises:
            SchedulerInputError: the mask is not of all nodes, or a number is none of a node.
            UnknownNodeError: there is no node of a name.
        """
        view = self.view(self._selection(nodes))
        shape, total = self.cluster.shape(pod), Total(view)
        scored = {}
        for name in self.scores:
            scored[name] = self.arithmetic.score(name, view, shape)
            total.add(scored[name].normalised, self.weights[name])
        numbers = self.cluster.numbers if view.nodes is None else view.nodes
        names = self.cluster.node_names
        return Scores(
            numbers,
            names if view.nodes is None else [names[number] for number in numbers.tolist()],
            ByPlugin({name: one.raw for name, one in scored.items()}, score_name),
            ByPlugin({name: one.normalised for name, one in scored.items()}, score_name),
            ByPlugin(self.weights, score_name),
            total.sum(),
        )

    def choose(self, pod: Pod) -> Placement | None:
        """The node `place` would put the pod on, without putting it there; None if none fits."""
        shape = self.cluster.shape(pod)
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
            SchedulerInputError: the pod has no name, or is placed already.
        """
        choice = self.choose(pod)
        if choice is not None:
            self.cluster.add(pod, choice.number)
        return choice

    def remove(self, pod: Pod | str) -> str:
        """Take a pod off its node; returns the node's name. See `Cluster.remove`."""
        return self.cluster.remove(pod)

    def view(self, nodes: Codes | None = None) -> View:
        """These nodes (None for all) under this scheduler's release."""
        return View(self.cluster, nodes, self.release)

    def masks(self, view: View, shape: Shape) -> dict[str, Mask | None]:
        """Each filter's answer over a view's nodes (bool); None where it admits all of them."""
        return {name: FILTER_MODULES[name].feasible(view, shape) for name in self.filters}

    def _totals(self, view: View, shape: Shape) -> Ints:
        """The weighted sum of all scores; what each plugin answered is not kept."""
        total = Total(view)
        for name in self.scores:
            scores = self.arithmetic.score(name, view, shape).normalised
            total.add(scores, self.weights[name])
        return total.sum()

    def search(self, pod: Pod) -> Search:
        """The nodes `place` would look at for this pod now, and score; nothing is changed."""
        return self._search(self.cluster.shape(pod))

    def _search(self, shape: Shape) -> Search:
        size = len(self.cluster)
        if self._enough < size:
            return self._search_in_turn(shape, size)
        view = self.view()
        feasible = _all_of(view, self.masks(view, shape).values())
        return Search(None, None if feasible.all() else feasible.nonzero()[0], self._start)

    def _search_in_turn(self, shape: Shape, size: int) -> Search:
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

    def _selection(
        self, nodes: Mask | Sequence[int] | Sequence[str] | FilterResult | None
    ) -> Codes | None:
        if nodes is None:
            return None
        given = np.asarray(nodes)
        if given.ndim == 1 and not len(given):
            return np.empty(0, dtype=np.intp)
        if given.dtype == np.bool_:
            if len(given) != len(self.cluster):
                problem = f"the mask has {len(given)} entries, the cluster {len(self.cluster)}"
                raise SchedulerInputError("score", "nodes", problem)
            return None if given.all() else given.nonzero()[0]
        if given.dtype.kind == "U":
            return np.array([self.cluster.node_number(name) for name in given.tolist()])
        if given.ndim != 1 or not np.issubdtype(given.dtype, np.integer):
            problem = "must be a mask over all nodes, or numbers or names of nodes"
            raise SchedulerInputError("score", "nodes", problem)
        if given.min() < 0 or given.max() >= len(self.cluster):
            problem = f"the numbers must be from 0 to {len(self.cluster) - 1}"
            raise SchedulerInputError("score", "nodes", problem)
        return given.astype(np.intp)

    def _reasons(self, shape: Shape, masks: Mapping[str, Mask], which: int | str) -> list[str]:
        node = self.cluster.node_number(which)
        short = ", ".join(node_resources_fit.lacking(self.view(), shape, node))
        detail = {node_resources_fit.NAME: f" ({short})" if short else ""}
        return [
            f"{name}: {FILTER_MODULES[name].REASON}{detail.get(name, '')}"
            for name, mask in masks.items()
            if not mask[node]
        ]


def _named(
    field: str, given: Iterable[str] | None, default: Iterable[str], resolve: Callable[[str], str]
) -> tuple[str, ...]:
    names = tuple(default) if given is None else checks.listed(given)
    checks.texts(names, "scheduler", field)
    return tuple(dict.fromkeys(map(resolve, names)))


def _weights(scores: Sequence[str], given: Mapping[str, int]) -> dict[str, int]:
    changed = {score_name(name): weight for name, weight in given.items()}
    for name, weight in changed.items():
        _check_range(f"weights.{name}", weight, 0, 2**31 - 1)
    return {name: changed.get(name, DEFAULT_WEIGHTS[name]) for name in scores}


def _check_range(field: str, value: int, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        problem = f"{value!r} must be an integer from {least} to {most}"
        raise SchedulerInputError("scheduler", field, problem)


def _all_of(view: View, masks: Iterable[Mask | None]) -> Mask:
    """The nodes every filter admits, in an array of its own."""
    given = [mask for mask in masks if mask is not None]
    if not given:
        return view.everywhere(True)
    feasible: Mask = np.logical_and(given[0], given[-1])
    for mask in given[1:-1]:
        np.logical_and(feasible, mask, out=feasible)
    return feasible


def _shown(view: View, mask: Mask | None) -> Mask:
    return view.everywhere(True) if mask is None else mask
