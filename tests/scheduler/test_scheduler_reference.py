"""The reference that proofs use, against the second plain scheduler, and both against the columns.

Three implementations written apart: where two agree and one does not, that one is wrong.
"""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_scheduler import PlainScheduler

from cnbench.scheduler import Scheduler
from cnbench.scheduler.inputs.synthetic import Mix, demanding_pod, synthetic_cluster
from cnbench.scheduler.plugins import FILTERS, SCORES
from cnbench.scheduler.reference.cluster import PlainCluster, PlainFilters
from cnbench.scheduler.reference.scores import PlainScores

NODES = 10


def three(mix):
    """The same made-up cluster, three times."""
    reference = PlainCluster.made(mix)
    plain = PlainScheduler(reference.nodes)
    for node, running in enumerate(reference.running_on):
        for number in running:
            plain.add(reference.templates[number], node)
    return reference, plain, synthetic_cluster(mix)


def asked(templates, which):
    """The pod with every rule, one of a replica set, or that without spread constraints."""
    if which == "demanding":
        return demanding_pod(templates)
    pod = templates[len(templates) // 2]
    return replace(pod, topology_spread_constraints=()) if which == "by the system" else pod


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1000),
    pods=st.integers(0, 60),
    which=st.sampled_from(["demanding", "a replica", "by the system"]),
)
def test_the_reference_the_plain_scheduler_and_the_columns_agree(seed, pods, which):
    compare(Mix(nodes=NODES, pods=pods, replicas=5, seed=seed), which)


def compare(mix, which):
    """Every filter and score of one pod, three times."""
    reference, plain, made = three(mix)
    pod = asked(reference.templates, which)
    filters, verdicts = PlainFilters(reference, pod), plain.filter(pod)
    columns = Scheduler(made.cluster, scores=SCORES)
    found = columns.filter(pod).by_plugin
    for name in FILTERS:
        answers = [filters.feasible(name, node) for node in range(NODES)]
        assert answers == verdicts[name] == found[name].tolist(), name
    feasible = [n for n in range(NODES) if all(answers[n] for answers in verdicts.values())]
    for numbers in filter(None, (list(range(NODES)), feasible)):
        expected, _ = plain.score(pod, numbers)
        scores, here = columns.score(pod, numbers), PlainScores(reference, pod, numbers)
        for name in SCORES:
            raw = {node: here.raw(name, node) for node in numbers}
            normalised = [here.normalised(name, node, raw) for node in numbers]
            assert list(raw.values()) == expected[name][0] == scores.raw[name].tolist(), name
            assert normalised == expected[name][1] == scores.normalised[name].tolist(), name


@pytest.mark.parametrize("fault", ["SelectorSpread", "ImageLocality", "InterPodAffinity"])
def test_a_reference_that_is_wrong_would_be_noticed(monkeypatch, fault):
    right = PlainScores.raw

    def wrong(self, plugin, node):
        return right(self, plugin, node) + (plugin == fault and node == 3)

    monkeypatch.setattr(PlainScores, "raw", wrong)
    with pytest.raises(AssertionError, match=fault):
        compare(Mix(nodes=NODES, pods=40, replicas=5), "demanding")
