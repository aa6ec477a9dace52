"""scheduler-scoring: what does choosing a node for a pod cost, as the cluster grows?

The scheduler of cnbench.scheduler gives kube-scheduler's answers, over columns instead of nodes.
What is timed is one plugin's answer for one pod, or the whole decision: filter, score, choose. The
pod has every kind of rule at once; the cluster is made up from a seed, or with ``trace`` read from
the openb production trace and then filled pod by pod.

A pod of a known shape finds much of its answer already there: NodeAffinity, TaintToleration and
ImageLocality depend on the nodes and the pod's rules alone, so theirs is a look-up, and pods that a
selector means are counted as they come and go. What a first pod pays is ``shape=new``.

The sampler takes the variants in turns, as everywhere in cnbench; ``timing`` says what of pyperf's
way is followed inside a sample.
"""

from __future__ import annotations

import importlib.util
from contextlib import AbstractContextManager
from pathlib import Path

from cnbench.core.errors import UnsupportedError, UsageError
from cnbench.core.experiment import Experiment, Subject
from cnbench.core.metric import Metric
from cnbench.core.parameter import Point
from cnbench.experiments.scheduler_scoring.grid import (
    NO_TRACE,
    PARAMETERS,
    is_apart,
    nonsense,
    setups_of,
)
from cnbench.experiments.scheduler_scoring.subject import open_question
from cnbench.experiments.scheduler_scoring.trace import open_trace
from cnbench.lab.host import Lab


def _open_subject(params: Point, lab: Lab) -> AbstractContextManager[Subject]:
    if params["trace"] == NO_TRACE:
        return open_question(params, lab)
    return open_trace(params, lab)


def _require(params: Point, lab: Lab) -> None:
    if importlib.util.find_spec("numpy") is None:
        raise UnsupportedError(
            f"the scheduler works on numpy's arrays, which the {lab.name}'s Python does not have",
            "install numpy (Debian: python3-numpy), or use --lab host",
        )
    folder = params.text("trace")
    if folder == NO_TRACE or Path(folder).is_dir():
        return
    if lab.name == "guest":
        raise UnsupportedError(
            "a guest does not see the folder of a trace", "use --lab host for traces"
        )
    raise UsageError(f"trace: {folder} is not a folder", "give the folder with the openb files")


EXPERIMENT = Experiment(
    name="scheduler-scoring",
    question="What does choosing a node for a pod cost, as the cluster grows?",
    parameters=PARAMETERS,
    metrics=(
        Metric(
            "cost", "s", "lower", "ratio", "time for one pod; in a trace the mean over its pods"
        ),
        Metric("per_node", "s", "lower", "ratio", "that time over the nodes it is about"),
    ),
    setups=setups_of,
    apart=is_apart,
    variant="plugin",
    beside=("extension_point", "nodes", "shape"),
    subject=_open_subject,
    require=_require,
    nonsense=nonsense,
)
