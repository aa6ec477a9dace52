"""A run of scheduler-scoring beside a running kube-scheduler's own figures, in the same rows.

What the two count differs, and every row says in what it is counted. kube-scheduler calls a filter
or a score once a node, so that its plugin histograms are of one pod and one node; what it prepares
for all nodes (PreFilter, PreScore) and the normalising of scores are histograms of their own, once
a pod. A plugin's answer here covers all of that. Plugins are timed in one of ten scheduling cycles
(pluginMetricsSamplePercent), and the smallest bucket ends at 10 µs, so that no quantile would say
anything: what is shown are means, which sum and count give exactly. Source: kubernetes
pkg/scheduler, metrics.go and schedule_one.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from cnbench.analysis.rows import Row, finite
from cnbench.experiments.scheduler_scoring.grid import LOOKED_UP
from cnbench.scheduler import SchedulerInputError
from cnbench.scheduler.inputs.kube_scheduler_metrics import (
    ALGORITHM,
    ATTEMPT,
    OLD_ATTEMPT,
    PLUGIN,
    ServedFigure,
)
from cnbench.scheduler.plugins import score_name

EXPERIMENT = "scheduler-scoring"
POD = "pod"
POD_AND_NODE = "pod and node"
DECISION = "all"
ALGORITHM_STEP = "algorithm"
ATTEMPT_STEP = "attempt"
# The extension points once a node; all others are once a pod.
_ONCE_A_NODE = ("Filter", "Score")
# Since 1.22 the strategy (LeastAllocated unless configured otherwise) is a setting of this plugin.
_FIT_AS_SCORE = {"NodeResourcesFit": "LeastAllocated"}


@dataclass(frozen=True)
class ServedBeside:
    """One plugin at one extension point, or one step of all, here and in kube-scheduler.

    Attributes:
        plugin: its name here, or kube-scheduler's where there is none; empty for a whole step.
        extension_point: kube-scheduler's name of it; ``algorithm`` for all of choosing a node,
            ``attempt`` for that and the binding.
        per: what both are counted in.
        known: seconds here for a known pod; None where it was not measured.
        new: the same for the first pod of its kind.
        theirs: kube-scheduler's mean in seconds; None where it has no figure.
        count: its observations.
    """

    plugin: str
    extension_point: str
    per: str
    known: float | None = None
    new: float | None = None
    theirs: float | None = None
    count: int = 0

    @property
    def looked_up(self) -> bool:
        """Whether ours for a known pod is the time of a look-up, and no answer is worked out."""
        return self.known is not None and self.plugin in LOOKED_UP

    @property
    def ratio(self) -> float | None:
        """kube-scheduler's mean over ours; None where only one is there.

        Ours for a known pod, since kube-scheduler keeps its counts up to date as well; but where
        that is a look-up, for the first pod of its kind: kube-scheduler works those out each time.
        """
        ours = self.new if self.looked_up else self.known
        return self.theirs / ours if self.theirs and ours else None

    def as_json(self) -> dict[str, Any]:
        """The row for ``--json``; seconds."""
        return asdict(self) | {"ratio": self.ratio, "looked_up": self.looked_up}


def setting_of(rows: Sequence[Row]) -> Mapping[str, object] | None:
    """The setting to show of a run: its largest made-up cluster; None where there is none.

    Of several settings of that size, the one with most pods and, then, most cases.
    """
    settings: dict[tuple[int, int, str], int] = {}
    for row in _usable(rows):
        params = row.case.params
        key = int(params["nodes"]), int(params["pods"]), str(params["scored"])
        settings[key] = settings.get(key, 0) + 1
    if not settings:
        return None
    nodes, pods, scored = max(settings, key=lambda key: (key[:2], settings[key]))
    return {"nodes": nodes, "pods": pods, "scored": scored}


def beside(
    rows: Sequence[Row], setting: Mapping[str, object], figures: Iterable[ServedFigure]
) -> list[ServedBeside]:
    """All rows: whole steps first, then plugins; of each first those that both have."""
    ours, theirs = _ours(rows, setting), _theirs(figures)
    joined = [
        replace(served, theirs=theirs[key].theirs, count=theirs[key].count)
        if key in theirs
        else served
        for key, served in ours.items()
    ]
    joined += [served for key, served in theirs.items() if key not in ours]
    return sorted(
        joined, key=lambda served: (served.plugin != "", served.ratio is None, served.known is None)
    )


def _usable(rows: Iterable[Row]) -> list[Row]:
    return [
        row
        for row in rows
        if row.case.experiment == EXPERIMENT
        and row.clock == "wall"
        and row.status == "ok"
        and row.interval is not None
        and row.case.params["trace"] == "none"
    ]


def _ours(
    rows: Iterable[Row], setting: Mapping[str, object]
) -> dict[tuple[str, str], ServedBeside]:
    found: dict[tuple[str, str], ServedBeside] = {}
    for row in _usable(rows):
        params = row.case.params
        decision = params["plugin"] == DECISION
        # A decision is counted by pod, and a plugin as kube-scheduler counts it.
        if row.metric.name != ("cost" if decision else "per_node") or any(
            params[name] != value for name, value in setting.items()
        ):
            continue
        plugin = "" if decision else str(params["plugin"])
        point = ALGORITHM_STEP if decision else str(params["extension_point"]).capitalize()
        served = found.setdefault(
            (plugin, point), ServedBeside(plugin, point, POD if decision else POD_AND_NODE)
        )
        cost = finite(row.interval.estimate) if row.interval else None
        is_known = params["shape"] == "known"
        found[plugin, point] = (
            replace(served, known=cost) if is_known else replace(served, new=cost)
        )
    return found


def _theirs(figures: Iterable[ServedFigure]) -> dict[tuple[str, str], ServedBeside]:
    """kube-scheduler's figures, those that differ in status or profile alone put together."""
    counts: dict[tuple[str, str, str], tuple[int, float]] = {}
    for figure in figures:
        if figure.metric in (ATTEMPT, OLD_ATTEMPT) and figure.labels.get("result") != "scheduled":
            continue  # an attempt that fails tries preemption, which is another matter
        key = _place_of(figure)
        count, total = counts.get(key, (0, 0.0))
        counts[key] = count + figure.count, total + (figure.total if figure.count else 0.0)
    return {
        (plugin, point): ServedBeside(plugin, point, per, theirs=total / count, count=count)
        for (plugin, point, per), (count, total) in counts.items()
        if count
    }


def _place_of(figure: ServedFigure) -> tuple[str, str, str]:
    """Plugin, extension point and what it is counted in."""
    if figure.metric == ALGORITHM:
        return "", ALGORITHM_STEP, POD
    if figure.metric in (ATTEMPT, OLD_ATTEMPT):
        return "", ATTEMPT_STEP, POD
    point = figure.extension_point
    by_node = figure.metric == PLUGIN and point in _ONCE_A_NODE
    return _our_name(figure.plugin, point), point, POD_AND_NODE if by_node else POD


def _our_name(plugin: str, extension_point: str) -> str:
    """The name here of kube-scheduler's plugin; its own where there is none."""
    if extension_point not in ("PreScore", "Score", "ScoreExtensionNormalize"):
        return plugin
    try:
        return score_name(_FIT_AS_SCORE.get(plugin, plugin))
    except SchedulerInputError:
        return plugin
