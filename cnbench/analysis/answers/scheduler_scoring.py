"""What scheduler-scoring answers."""

from __future__ import annotations

from dataclasses import replace

from cnbench.analysis.answers.answer import Answer, Part, Tested, Verdict
from cnbench.analysis.answers.cases import Cases, Picked
from cnbench.analysis.answers.criteria import within
from cnbench.analysis.answers.figures import exponent, of, ratio, shown, value

_SIZES = (100, 1000, 5000)
_DEAREST = "InterPodAffinity"
# An exponent of 1 is a straight line through nothing.
_LINEAR = 0.9, 1.1
_PLUGINS = (
    "LeastAllocated", "BalancedAllocation", "PodTopologySpread", "NodeAffinity",
    "TaintToleration", "ImageLocality", _DEAREST,
)  # fmt: skip
_SCORES = Cases(
    {name: {"plugin": name} for name in _PLUGINS},
    extension_point="score",
    nodes=5000,
    shape="known",
    trace="none",
)


def _dearest(picked: Picked) -> list[tuple[str, Part]]:
    """The plugins with what they cost, the dearest first."""
    found = [(name, part) for name in picked.measured if (part := of("cost", name)(picked))]
    return sorted(found, key=lambda each: each[1].interval.estimate, reverse=True)  # type: ignore[union-attr]


def _three_dearest(picked: Picked) -> list[Part]:
    return [replace(part, label=name) for name, part in _dearest(picked)[:3]]


def _affinity_is_dearest(picked: Picked) -> Tested:
    if _DEAREST not in picked.measured:
        return Tested(Verdict.NOT_TESTABLE, why=str(picked.why_not(_DEAREST)))
    rival = next((name for name, _ in _dearest(picked) if name != _DEAREST), "")
    return within(ratio("cost", _DEAREST, rival), low=1.0, needs=(_DEAREST,))(picked)


ANSWERS = (
    Answer(
        experiment="scheduler-scoring",
        question="Choosing a node for a pod, all filters and scores",
        cases=Cases(
            {f"{nodes:,} nodes": {"nodes": nodes} for nodes in _SIZES},
            plugin="all",
            shape="new",
            trace="none",
        ),
        shows=(value("cost"), shown(exponent("cost", "nodes"))),
        statement="What a decision costs grows linearly with the nodes",
        tests=(within(exponent("cost", "nodes"), *_LINEAR),),
        repeat="run scheduler-scoring -p plugin=all",
        rank=1,
    ),
    Answer(
        experiment="scheduler-scoring",
        question="The dearest scores of a pod on 5,000 nodes",
        cases=_SCORES,
        shows=(_three_dearest,),
        statement="Inter-pod affinity is the dearest plugin",
        tests=(_affinity_is_dearest,),
        repeat="run scheduler-scoring -p extension_point=score -p nodes=5000",
        rank=2,
    ),
)
