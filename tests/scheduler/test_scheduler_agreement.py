"""The scheduler against a plain second implementation, on clusters that hypothesis makes up."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain_scheduler import PlainScheduler

from cnbench.scheduler import (
    Cluster,
    LabelSelector,
    Node,
    NodeAffinity,
    NodeSelectorTerm,
    Pod,
    PodAffinity,
    PodAffinityTerm,
    PreferredSchedulingTerm,
    Requirement,
    Scheduler,
    Taint,
    Toleration,
    TopologySpreadConstraint,
    WeightedPodAffinityTerm,
)
from cnbench.scheduler.model.quantities import MIB
from cnbench.scheduler.plugins import SCORES

ZONE = "topology.kubernetes.io/zone"
REGION = "topology.kubernetes.io/region"
OLD_ZONE = "failure-domain.beta.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"
KEYS = [ZONE, HOST, "rack", "disk"]
NAMESPACES = {"default": {"team": "a"}, "other": {"team": "b"}, "third": {}}

names = st.sampled_from(sorted(NAMESPACES))
values = st.sampled_from(["a", "b", "c"])
pod_labels = st.dictionaries(st.sampled_from(["app", "tier"]), values, max_size=2)


def some(items, most=2):
    return st.lists(items, max_size=most).map(tuple)


def requirements(keys, operators, least=-1):
    texts = st.sampled_from(["a", "b", "c", "1", "3"])

    def build(key, operator, chosen, number):
        if operator in ("Exists", "DoesNotExist"):
            return Requirement(key, operator)
        if operator in ("Gt", "Lt"):
            return Requirement(key, operator, (str(number),))
        return Requirement(key, operator, tuple(chosen))

    return st.builds(
        build,
        st.sampled_from(keys),
        st.sampled_from(operators),
        st.lists(texts, min_size=1, max_size=2),
        st.integers(least, 4),
    )


set_operators = ["In", "NotIn", "Exists", "DoesNotExist"]
selectors = st.one_of(
    st.none(),
    st.builds(
        LabelSelector, pod_labels, some(requirements(["app", "tier"], set_operators), most=1)
    ),
)
# A required term with "-1", which no label could be, matches nothing; a preferred one is refused.
node_operators = [*set_operators, "Gt", "Lt"]
expressions = requirements(["rack", "disk", "size", ZONE], node_operators)
preferences = requirements(["rack", "disk", "size", ZONE], node_operators, least=0)
fields = st.builds(
    lambda operator, number: Requirement("metadata.name", operator, (f"node-{number}",)),
    st.sampled_from(["In", "NotIn"]),
    st.integers(0, 4),
)
node_terms = st.builds(NodeSelectorTerm, some(expressions), some(fields, most=1))
node_affinities = st.builds(
    NodeAffinity,
    st.one_of(st.none(), some(node_terms)),
    some(
        st.builds(
            PreferredSchedulingTerm,
            st.integers(1, 100),
            st.builds(NodeSelectorTerm, some(preferences), some(fields, most=1)),
        )
    ),
)
terms = st.builds(
    PodAffinityTerm,
    st.sampled_from(KEYS),
    selectors,
    some(names),
    st.one_of(
        st.none(),
        st.just(LabelSelector()),
        st.just(LabelSelector({"team": "b"})),
    ),
)
affinities = st.builds(
    PodAffinity,
    some(terms, most=2),
    some(st.builds(WeightedPodAffinityTerm, st.integers(1, 100), terms)),
)
tolerations = st.one_of(
    st.builds(
        Toleration,
        st.sampled_from(["gpu", "spot"]),
        st.just("Equal"),
        values,
        st.sampled_from(["", "NoSchedule", "PreferNoSchedule"]),
    ),
    st.builds(Toleration, st.sampled_from(["", "gpu"]), st.just("Exists")),
)
spreads = st.builds(
    TopologySpreadConstraint,
    st.integers(1, 3),
    st.sampled_from(KEYS),
    st.sampled_from(["DoNotSchedule", "ScheduleAnyway", "ScheduleAnyway"]),
    selectors,
    st.one_of(st.none(), st.integers(1, 4)),
    st.sampled_from(["Honor", "Ignore"]),
    st.sampled_from(["Honor", "Ignore"]),
    some(st.sampled_from(["app", "tier"]), most=1),
)
images = st.sampled_from(["nginx", "redis:7", "registry:5000/db"])
requests = st.fixed_dictionaries(
    {},
    optional={
        "cpu": st.integers(0, 1500),
        "memory": st.integers(0, 3000).map(lambda n: n * MIB),
        "nvidia.com/gpu": st.integers(0, 2),
        "ephemeral-storage": st.integers(0, 2000).map(lambda n: n * MIB),
    },
)
sparse = st.sampled_from([0, 0, 1])


def maybe(strategy):
    """Mostly absent, so that pods differ in which rules they have."""
    return st.one_of(st.none(), st.none(), strategy)


pods = st.builds(
    Pod,
    namespace=names,
    requests=requests,
    labels=pod_labels,
    node_selector=st.one_of(
        st.just({}), st.just({}), st.dictionaries(st.just("rack"), values, max_size=1)
    ),
    node_affinity=maybe(node_affinities),
    pod_affinity=maybe(affinities),
    pod_anti_affinity=maybe(affinities),
    tolerations=some(tolerations),
    topology_spread_constraints=st.one_of(st.just(()), some(spreads)),
    images=some(images),
    init_images=some(images, most=1),
    spread_selector=selectors,
    terminating=st.sampled_from([False, False, False, True]),
)


@st.composite
def clusters(draw):
    nodes = []
    for number in range(draw(st.integers(1, 6))):
        labels = draw(
            st.fixed_dictionaries(
                {},
                optional={
                    ZONE: values,
                    REGION: st.just("r"),
                    OLD_ZONE: values,
                    "rack": values,
                    "disk": st.sampled_from(["a", "1", "2", "x1"]),
                    "size": st.sampled_from(["1", "2", "3", "-1", "+2", "big"]),
                },
            )
        )
        if draw(st.sampled_from([True, True, True, False])):
            labels[HOST] = f"node-{number}"
        nodes.append(
            Node(
                f"node-{number}",
                {
                    "cpu": draw(st.sampled_from([0, 1000, 3000, 4001])),
                    "memory": draw(st.sampled_from([0, 4096, 8191, 10007])) * MIB,
                    "pods": draw(st.integers(1, 8)),
                    **draw(st.sampled_from([{}, {"nvidia.com/gpu": 2}])),
                    **draw(st.sampled_from([{}, {"ephemeral-storage": 3000 * MIB}])),
                },
                labels,
                draw(
                    some(
                        st.builds(
                            Taint,
                            st.sampled_from(["gpu", "spot"]),
                            values,
                            st.sampled_from(["NoSchedule", "PreferNoSchedule", "NoExecute"]),
                        )
                    )
                ),
                draw(st.dictionaries(images, st.integers(1, 1500).map(lambda n: n * MIB))),
            )
        )
    return nodes


@st.composite
def histories(draw):
    """Nodes, a list of events (a pod and where it goes, or which to remove), and pods to ask."""
    nodes = draw(clusters())
    templates = draw(st.lists(pods, min_size=1, max_size=5))
    events = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["add", "add", "place", "place", "remove", "forget"]),
                st.integers(0, len(templates) - 1),
                st.integers(0, len(nodes) - 1),
            ),
            max_size=14,
        )
    )
    return nodes, templates, events


def compare(scheduler, plain, pod):
    verdicts = plain.filter(pod)
    result = scheduler.filter(pod)
    for name, expected in verdicts.items():
        assert result.by_plugin[name].tolist() == expected, name
    feasible = [all(v[i] for v in verdicts.values()) for i in range(len(plain.nodes))]
    assert result.tolist() == feasible
    some_nodes = [i for i in range(len(plain.nodes)) if i % 2 == 0]
    for indices, nodes in (
        (list(range(len(plain.nodes))), None),
        ([i for i, fits in enumerate(feasible) if fits], result),
        (some_nodes, some_nodes),
    ):
        scores, totals = plain.score(pod, indices)
        found = scheduler.score(pod, nodes)
        assert found.nodes.tolist() == indices
        for name, (raw, normalised) in scores.items():
            assert found.raw[name].tolist() == raw, name
            assert found.normalised[name].tolist() == normalised, name
        assert found.total.tolist() == totals
        assert found.total.dtype == np.int64


@pytest.mark.parametrize("release", ["1.30", "1.20", "1.22", "1.26", "1.34", "1.36"])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=histories(), hard=st.sampled_from([0, 1, 50]))
def test_scores_and_filters_agree_with_the_plain_implementation(release, history, hard):
    nodes, templates, events = history
    scheduler = Scheduler(
        Cluster(nodes, NAMESPACES), release, scores=SCORES, hard_pod_affinity_weight=hard
    )
    plain = PlainScheduler(nodes, int(release[2:]), hard, NAMESPACES)
    running = []
    for number, (event, template, node) in enumerate(events):
        pod = templates[template].named(f"pod-{number}")
        if event == "remove" and running:
            gone = running.pop(node % len(running))
            scheduler.remove(gone)
            plain.remove(gone)
        elif event == "add":
            scheduler.cluster.add(pod, node)
            plain.add(pod, node)
            running.append(pod)
        elif event == "place":
            placement = scheduler.place(pod)
            assert (None if placement is None else placement.number) == plain.place(pod)
            if placement is not None:
                running.append(pod)
        elif event == "forget":
            scheduler.cluster.forget_questions()
            assert scheduler.cluster.kept == 0
        if number % 4 == 0:
            compare(scheduler, plain, templates[0])
    for template in templates:
        compare(scheduler, plain, template)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    nodes=clusters(),
    templates=st.lists(pods, min_size=1, max_size=4),
    minor=st.sampled_from([20, 30, 34, 36]),
    data=st.data(),
)
def test_an_extended_resource_can_take_part_in_the_scores(nodes, templates, minor, data):
    weights = {"cpu": 1, "memory": 1, "nvidia.com/gpu": 1, "ephemeral-storage": 1}
    release = f"1.{minor}"
    scheduler = Scheduler(Cluster(nodes), release, scores=SCORES, resource_weights=weights)
    plain = PlainScheduler(nodes, minor, resources=tuple(weights))
    for number in range(6):
        pod = data.draw(st.sampled_from(templates)).named(f"pod-{number}")
        node = data.draw(st.integers(0, len(nodes) - 1))
        scheduler.cluster.add(pod, node)
        plain.add(pod, node)
    for pod in templates:
        scores, _ = plain.score(pod, list(range(len(nodes))))
        found = scheduler.score(pod)
        for name in ("LeastAllocated", "MostAllocated", "BalancedAllocation"):
            assert found.raw[name].tolist() == scores[name][0], name
