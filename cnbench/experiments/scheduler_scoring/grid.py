"""The dimensions of scheduler-scoring.

The names of plugins are written out here, since the scheduler's own list needs numpy; a test holds
the two together.
"""

from __future__ import annotations

from cnbench.core.parameter import Parameter, Point

DECISION = "all"
FILTER = "filter"
SCORE = "score"
BOTH = "both"
KNOWN = "known"
NEW = "new"
MIXED = "mixed"
NO_TRACE = "none"

FILTERS = (
    "NodeResourcesFit",
    "NodeAffinity",
    "TaintToleration",
    "InterPodAffinity",
    "PodTopologySpread",
)
SCORES = (
    "LeastAllocated",
    "MostAllocated",
    "BalancedAllocation",
    "SelectorSpread",
    "PodTopologySpread",
    "NodeAffinity",
    "TaintToleration",
    "ImageLocality",
    "InterPodAffinity",
)
PLUGINS = (DECISION, *dict.fromkeys((*FILTERS, *SCORES)))
# Scores that no default profile has, and that must be asked for by name.
BY_NAME = ("MostAllocated", "SelectorSpread")
# What a default decision is made of.
_IN_A_DECISION = tuple(name for name in PLUGINS if name not in BY_NAME)

# Their answers depend on the nodes and a pod's rules alone: for a known pod they are looked up.
LOOKED_UP = ("NodeAffinity", "TaintToleration", "ImageLocality")

FEWEST_NODES = 10
MOST_PODS = 1_000_000
_MOST_PODS_APART = 150_000


def extension_points(plugin: str) -> tuple[str, ...]:
    """Where in a decision a plugin works."""
    if plugin == DECISION:
        return (BOTH,)
    points = ((FILTER, FILTERS), (SCORE, SCORES))
    return tuple(point for point, names in points if plugin in names)


def _is_synthetic(so_far: Point) -> bool:
    return so_far["trace"] == NO_TRACE


def _plugins(so_far: Point) -> tuple[str, ...]:
    return _IN_A_DECISION if _is_synthetic(so_far) else (DECISION,)


def _all_plugins(so_far: Point) -> tuple[str, ...]:
    return PLUGINS if _is_synthetic(so_far) else (DECISION,)


def _extension_points(so_far: Point) -> tuple[str, ...]:
    return extension_points(so_far.text("plugin"))


def _nodes(so_far: Point) -> tuple[int, ...]:
    return (100, 1000, 5000) if _is_synthetic(so_far) else (0,)


def _many_nodes(so_far: Point) -> tuple[int, ...]:
    return (100, 1000, 5000, 20_000, 100_000) if _is_synthetic(so_far) else (0,)


def _pods(so_far: Point) -> tuple[int, ...]:
    return (10,) if _is_synthetic(so_far) else (0,)


def _many_pods(so_far: Point) -> tuple[int, ...]:
    return (0, 10, 30) if _is_synthetic(so_far) else (0,)


def _shapes(so_far: Point) -> tuple[str, ...]:
    if not _is_synthetic(so_far):
        return (MIXED,)
    # Elsewhere the two differ in how much is counted afresh; here in whether anything is.
    return (KNOWN, NEW) if so_far["plugin"] in (DECISION, *LOOKED_UP) else (KNOWN,)


def _all_shapes(so_far: Point) -> tuple[str, ...]:
    return (KNOWN, NEW) if _is_synthetic(so_far) else (MIXED,)


def setups_of(params: Point) -> int:
    """How many set-ups a case has: six where one question is asked again and again.

    Where its arrays lie decides what asking costs. Of 57 quick cases in eight set-ups each, which
    share the cluster, 21 had set-ups that differed with p < 0.001, by 0.5 to 7 % where blocks did
    by 0.4 to 3 % (scripts/set_ups_alike.py). A trace asks each of its pods' questions once.
    """
    return 6 if _is_synthetic(params) else 1


def is_apart(params: Point) -> bool:
    """Whether each set-up is in a process of its own, as far as ten of its clusters fit in memory.

    Twelve processes that were asked the same in turns differed by 0.8 to 1.6 % on 100 nodes, and
    eight by 0.5 to 1.9 % on 1,000, by 0.5 to 1.2 % on 5,000 and by 1.0 to 1.3 % on 20,000 (standard
    deviations; halves of each one's samples told the same of it, correlation 0.7 to 1), and set-ups
    inside one process by 0.2 to 1.5 %. 150,000 pods take 60 MB and 2 s.
    """
    pods = params.whole("nodes") * params.whole("pods")
    return _is_synthetic(params) and pods <= _MOST_PODS_APART


def nonsense(params: Point) -> str:
    """Why a point of the grid cannot be, or the empty text."""
    plugin, point = params.text("plugin"), params.text("extension_point")
    if not _is_synthetic(params):
        return _no_sense_for_a_trace(params)
    if params.whole("nodes") < FEWEST_NODES:
        return f"a made-up cluster has at least {FEWEST_NODES} nodes"
    if params["shape"] == MIXED:
        return "only a trace's pods are mixed; the shape is known or new"
    if point not in extension_points(plugin):
        return f"{plugin} has no extension point {point}; leave extension_point out"
    if params.whole("nodes") * params.whole("pods") > MOST_PODS:
        return f"a made-up cluster has at most {MOST_PODS:,} pods; give fewer nodes or pods"
    return ""


def _no_sense_for_a_trace(params: Point) -> str:
    own = {"plugin": DECISION, "extension_point": BOTH, "nodes": 0, "pods": 0, "shape": MIXED}
    for name, value in own.items():
        if params[name] != value:
            return f"a trace is scheduled as it is, pod by pod; leave {name} out"
    return ""


PARAMETERS = (
    Parameter(
        "trace",
        "a folder with the openb trace, to be scheduled whole; none: a made-up cluster",
        quick=(NO_TRACE,),
        full=(NO_TRACE,),
        text=True,
    ),
    Parameter(
        "plugin",
        "a filter or a score; all: the whole decision",
        quick=_plugins,
        full=_all_plugins,
        choices=PLUGINS,
    ),
    Parameter(
        "extension_point",
        "as a filter or as a score; some plugins are both",
        quick=_extension_points,
        full=_extension_points,
        choices=(FILTER, SCORE, BOTH),
    ),
    Parameter(
        "nodes",
        "nodes of the made-up cluster (0: those of the trace)",
        quick=_nodes,
        full=_many_nodes,
        whole=True,
        maximum=100_000,
    ),
    Parameter(
        "pods",
        "pods placed before, per node",
        quick=_pods,
        full=_many_pods,
        whole=True,
        maximum=50,
    ),
    Parameter(
        "scored",
        "feasible nodes to look for: Kubernetes' adaptive share, or all",
        quick=("all",),
        full=("all", "adaptive"),
        choices=("all", "adaptive"),
    ),
    Parameter(
        "shape",
        "known: such a pod came before, and what depends on nodes alone is looked up; "
        "new: everything is worked out; mixed: as a trace's pods come",
        quick=_shapes,
        full=_all_shapes,
        choices=(KNOWN, NEW, MIXED),
    ),
)
