"""scheduler-scoring: its grid, its proofs, and that they notice what is wrong."""

from __future__ import annotations

import dataclasses
import gc
import importlib.util
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cnbench.core.errors import UnsupportedError, UsageError
from cnbench.core.parameter import Params
from cnbench.experiments.registry import experiment_called
from cnbench.experiments.scheduler_scoring import grid, timing
from cnbench.experiments.scheduler_scoring import proof as evidence
from cnbench.lab.clock import Clock
from cnbench.lab.host import Lab, open_lab
from cnbench.scheduler.inputs.synthetic import Mix
from cnbench.scheduler.plugins import DEFAULT_SCORES, FILTERS, SCORES
from cnbench.scheduler.sampling import nodes_to_find
from cnbench.scheduler.timing import under_pyperf

EXPERIMENT = experiment_called("scheduler-scoring")
NODES = """sn,cpu_milli,memory_mib,gpu,model
a,8000,16384,2,V100
b,4000,8192,0,
"""
PODS = """name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos
one,4000,1024,1,1000,V100,LS
two,3000,1024,0,0,,BE
three,4000,1024,0,0,,BE
four,9000,1024,0,0,,BE
"""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with open_lab("host", "wall", tmp_path / "journal") as lab, lab.fresh_fixtures():
        yield lab


@pytest.fixture(autouse=True)
def _brief_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "_SHORTEST_BATCH", 1)
    monkeypatch.setattr(timing, "_SAMPLE", 1)


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    (tmp_path / "openb_node_list_all_node.csv").write_text(NODES)
    (tmp_path / "openb_pod_list_default.csv").write_text(PODS)
    return tmp_path


def points(**given: Any) -> list[dict[str, Any]]:
    named = {"nodes": (40,)} if "trace" not in given else {}
    return EXPERIMENT.grid(True, named | {name: (value,) for name, value in given.items()})


def test_the_names_are_the_schedulers() -> None:
    assert grid.FILTERS == FILTERS
    assert grid.SCORES == SCORES
    quick = {point["plugin"] for point in EXPERIMENT.grid(False, {})}
    assert quick == {"all", *FILTERS, *DEFAULT_SCORES}


@pytest.mark.parametrize("scored", ["all", "adaptive"])
@pytest.mark.parametrize("pods", [0, 6])
def test_every_plugin_gives_its_metrics_and_proves_its_answers(
    lab: Lab, scored: str, pods: int
) -> None:
    grid_points = points(nodes=260, pods=pods, scored=scored)
    assert len(grid_points) == 2 * (1 + len(FILTERS) + len(SCORES))
    for point in grid_points:
        with EXPERIMENT.subject(point, lab) as subject:
            values = subject.sample()
            proof = subject.proof()
        assert set(values) == {"cost", "per_node"}
        assert 0 < values["per_node"] < values["cost"]
        assert proof.holds, (point, proof.broken)


def test_adaptive_scores_as_many_nodes_as_kubernetes(lab: Lab) -> None:
    for scored, most in (("adaptive", nodes_to_find(400)), ("all", 400)):
        point = points(nodes=400, pods=0, scored=scored, plugin="all", shape="known")[0]
        with EXPERIMENT.subject(point, lab) as subject:
            claims = {check.claim: check for check in subject.proof().checks}
        found = int(claims["nodes scored"].observed)
        assert found == most if scored == "adaptive" else nodes_to_find(400) < found <= most


def wrong_scores(subject: Any) -> None:
    score = subject.question.scheduler.arithmetic.score

    def off_by_one(name: str, view: Any, shape: Any) -> Any:
        right = score(name, view, shape)
        return right._replace(raw=right.raw + 1, normalised=right.normalised + 1)

    subject.question.scheduler.arithmetic.score = off_by_one


def another_pod(subject: Any) -> None:
    plain = subject.made_up.plain
    plain.running_on = [running[1:] for running in plain.running_on]


def a_choice_of_its_own(subject: Any) -> None:
    choose = subject.question.scheduler.choose
    subject.question.scheduler.choose = lambda pod: dataclasses.replace(choose(pod), score=10_000)


@pytest.mark.parametrize(
    ("plugin", "point", "spoil"),
    [
        ("LeastAllocated", "score", wrong_scores),
        ("TaintToleration", "score", wrong_scores),
        ("LeastAllocated", "score", another_pod),
        ("BalancedAllocation", "score", another_pod),
        ("PodTopologySpread", "score", another_pod),
        ("InterPodAffinity", "score", another_pod),
        ("all", "both", a_choice_of_its_own),
        ("all", "both", another_pod),
    ],
)
def test_a_proof_notices_what_is_wrong(
    lab: Lab, plugin: str, point: str, spoil: Callable[[Any], None]
) -> None:
    case = points(pods=6, scored="all", plugin=plugin, extension_point=point, shape="known")[0]
    with EXPERIMENT.subject(case, lab) as subject:
        spoil(subject)
        assert not subject.proof().holds


def test_a_filter_that_admits_everything_is_noticed(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = points(pods=6, scored="all", plugin="NodeAffinity", extension_point="filter")[0]
    with EXPERIMENT.subject(case, lab) as subject:
        monkeypatch.setattr(subject.question, "prepared", lambda: lambda: None)
        assert not subject.proof().holds


def test_known_looks_up_and_new_works_out(lab: Lab) -> None:
    of = {"pods": 6, "scored": "all", "plugin": "NodeAffinity", "extension_point": "score"}
    with EXPERIMENT.subject(points(shape="known", **of)[0], lab) as known:
        known.sample()
        assert evidence.looked_up(known.question).holds
        known.question.forget()
        with EXPERIMENT.subject(points(shape="new", **of)[0], lab) as new:
            assert evidence.worked_out(new.question).holds
            new.question.prepared()()
            assert new.question.scheduler.cluster.kept > 0
        assert known.proof().holds, "another case of the cluster made it forget; it asks again"


def test_cases_of_a_group_share_their_cluster(lab: Lab) -> None:
    known, new = points(pods=6, scored="all", plugin="all")
    score = points(pods=6, scored="all", plugin="LeastAllocated", shape="known")[0]
    with EXPERIMENT.subject(known, lab) as one, EXPERIMENT.subject(score, lab) as other:
        assert one.made_up is other.made_up
        with EXPERIMENT.subject(new, lab) as forgetting:
            assert forgetting.made_up is not one.made_up, "what is forgotten leaves its traces"


def test_a_trace_is_scheduled_whole_and_packed(lab: Lab, trace: Path) -> None:
    (point,) = points(trace=str(trace), scored="all")
    assert point["plugin"] == "all"
    with EXPERIMENT.subject(point, lab) as subject:
        first, second = subject.sample(), subject.sample()
        proof = subject.proof()
    assert proof.holds, proof.broken
    # One needs the V100 of node a; two and three fit; four asks for more than any node has.
    assert "3 pods on 2 nodes: cpu 91.7%" in next(
        check.observed for check in proof.checks if check.claim == "packing"
    )
    for values in (first, second):
        assert values["per_node"] == pytest.approx(values["cost"] / 2)


def test_a_refusal_for_which_there_is_room_breaks_the_proof(lab: Lab, trace: Path) -> None:
    (point,) = points(trace=str(trace), scored="all")
    with EXPERIMENT.subject(point, lab) as subject:
        subject.sample()
        subject._unplaced.append("default/two")
        subject._cluster.remove("default/two")
        subject._unplaced.remove("default/four")
        assert {check.claim for check in subject.proof().broken} >= {
            "pods refused for which there is room",
            "pods placed and refused are all of the trace's",
        }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"nodes": 9}, "at least 10 nodes"),
        ({"plugin": "LeastAllocated", "extension_point": "filter"}, "no extension point filter"),
        ({"nodes": 100_000, "pods": 11}, "at most 1,000,000 pods"),
        ({"shape": "mixed"}, "only a trace's pods are mixed"),
        ({"trace": "x", "nodes": 100}, "leave nodes out"),
        ({"trace": "x", "plugin": "NodeAffinity"}, "leave plugin out"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(given: Params, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        points(**given)


def test_a_trace_that_cannot_be_read_names_the_row_and_the_column(lab: Lab, trace: Path) -> None:
    file = trace / "openb_pod_list_default.csv"
    file.write_text(PODS.replace("two,3000", "two,-3"))
    (point,) = points(trace=str(trace), scored="all")
    message = r"openb_pod_list_default.csv row 3: cpu_milli: -3 is negative"
    with pytest.raises(UsageError, match=message), EXPERIMENT.subject(point, lab):
        pass
    (point,) = points(trace=str(trace / "nowhere"), scored="all")
    with pytest.raises(UsageError, match="nowhere is not a folder"):
        EXPERIMENT.require(point, lab)


def test_what_a_guest_lacks_is_said(lab: Lab, trace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.name = "guest"
    with pytest.raises(UnsupportedError) as refusal:
        EXPERIMENT.require(points(trace="nowhere", scored="all")[0], lab)
    assert refusal.value.remedy == "use --lab host for traces"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UnsupportedError, match="numpy") as refusal:
        EXPERIMENT.require(points()[0], lab)
    assert "python3-numpy" in refusal.value.remedy


class Ticking(Clock):
    """A clock that a test moves."""

    now = 0

    @classmethod
    def ticks(cls) -> int:  # type: ignore[override]
        return cls.now


def test_short_calls_are_looped_until_the_clock_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "_SHORTEST_BATCH", 100_000)
    monkeypatch.setattr(timing, "_SAMPLE", 4_000_000)
    clock = Ticking("instructions")
    monkeypatch.setattr(Ticking, "now", 0)

    def call() -> None:
        Ticking.now += 1000

    effort = timing.effort_again(call, clock)
    assert effort == timing.Effort(batches=31, loops=128)  # 128 is the first power above 100
    assert timing.cost_of(lambda: call, effort, clock) == 1000
    assert timing.effort_afresh(lambda: call, clock) == timing.Effort(batches=4000, loops=1)


def test_how_much_is_timed_is_not_decided_by_one_call_that_was_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timing, "_SHORTEST_BATCH", 100_000)
    monkeypatch.setattr(timing, "_SAMPLE", 4_000_000)
    clock = Ticking("instructions")
    monkeypatch.setattr(Ticking, "now", 0)
    costs = itertools.chain([900_000], itertools.repeat(1000))

    def call() -> None:
        Ticking.now += next(costs)

    assert timing.effort_again(call, clock) == timing.Effort(batches=31, loops=128)
    costs = itertools.chain([900_000], itertools.repeat(1000))
    assert timing.effort_afresh(lambda: call, clock) == timing.Effort(batches=4000, loops=1)


def test_the_collector_rests_while_it_is_decided_how_much_is_timed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timing, "_SHORTEST_BATCH", 2)
    enabled = []

    def call() -> None:
        Ticking.now += 1
        enabled.append(gc.isenabled())

    timing.effort_again(call, Ticking("instructions"))
    timing.effort_afresh(lambda: call, Ticking("instructions"))
    assert gc.isenabled()
    assert not any(enabled)


def test_a_batch_that_was_interrupted_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Ticking("instructions")
    monkeypatch.setattr(Ticking, "now", 0)
    costs = iter([10, 10, 9_000_000, 10, 10])

    def call() -> None:
        Ticking.now += next(costs)

    assert timing.cost_of(lambda: call, timing.Effort(5, 1), clock) == 10


def test_the_experiment_is_imported_without_numpy() -> None:
    program = (
        "import sys, cnbench.experiments.scheduler_scoring as e; e.EXPERIMENT.grid(True, {});"
        "sys.exit(any(name in sys.modules for name in ('numpy', 'cnbench.scheduler', 'pyperf')))"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_pyperf_times_the_same_questions() -> None:
    mix = Mix(nodes=20, pods=60)
    for plugin, point in under_pyperf._QUESTIONS:
        assert under_pyperf.seconds_of(mix, plugin, point, 2) > 0
