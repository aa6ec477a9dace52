"""Every filter on cases worked out by hand, and what else the public API promises."""

import numpy as np
import pytest

from cnbench.scheduler import (
    Cluster,
    Node,
    NodeAffinity,
    NodeSelectorTerm,
    NotPlacedError,
    Pod,
    PodAffinity,
    PodAffinityTerm,
    Requirement,
    Scheduler,
    SchedulerInputError,
    Taint,
    Toleration,
    TopologySpreadConstraint,
    UnknownNodeError,
)
from cnbench.scheduler.sampling import nodes_to_find

ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"


def admitted(name, cluster, pod):
    return Scheduler(cluster, filters=[name]).filter(pod).tolist()


def zoned(*zones):
    return [
        Node(f"n{i}", {}, {HOST: f"n{i}", **({ZONE: zone} if zone else {})})
        for i, zone in enumerate(zones)
    ]


def with_pods(nodes, *placed):
    cluster = Cluster(nodes)
    for number, (pod, node) in enumerate(placed):
        cluster.add(pod.named(f"placed-{number}"), node)
    return cluster


@pytest.mark.parametrize(
    ("requests", "expected"),
    [
        ({"cpu": 500}, [True, True]),  # 1000 - 500 is enough, exactly; 2000 too
        ({"cpu": 501}, [False, True]),
        ({"cpu": "2", "memory": "1Gi"}, [False, True]),
        ({"memory": "1025Mi"}, [False, False]),
        ({"nvidia.com/gpu": 1}, [False, True]),
        ({"nvidia.com/gpu": 0, "unheard.of/thing": 0}, [True, True]),
        ({"unheard.of/thing": 1}, [False, False]),
        ({}, [True, True]),
    ],
)
def test_node_resources_fit(requests, expected):
    nodes = [
        Node("n0", {"cpu": 1000, "memory": "1Gi"}),
        Node("n1", {"cpu": "2", "memory": "1Gi", "nvidia.com/gpu": 1}),
    ]
    cluster = with_pods(nodes, (Pod(requests={"cpu": 500}), 0))
    assert admitted("PodFitsResources", cluster, Pod("p", requests=requests)) == expected


def test_a_node_takes_only_so_many_pods():
    cluster = with_pods([Node("n0", {"pods": 1}), Node("n1", {"pods": 2})], (Pod(), 0), (Pod(), 1))
    assert admitted("NodeResourcesFit", cluster, Pod("p")) == [False, True]


def test_a_resource_not_requested_may_be_overcommitted():
    # 300 of 200 millicpu are taken: a pod without cpu still fits, one with any does not.
    cluster = with_pods([Node("n", {"cpu": 200, "memory": "1Gi"})], (Pod(requests={"cpu": 300}), 0))
    assert admitted("NodeResourcesFit", cluster, Pod("p", requests={"memory": 1})) == [True]
    assert admitted("NodeResourcesFit", cluster, Pod("q", requests={"cpu": 1})) == [False]


DISKS = [
    Node("n0", {}, {"disk": "ssd", "size": "10"}),
    Node("n1", {}, {"disk": "hdd", "size": "-3"}),
    Node("n2", {}, {"size": "big"}),
]


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        (("disk", "In", ["ssd", "nvme"]), [True, False, False]),
        (("disk", "NotIn", ["ssd"]), [False, True, True]),  # absent counts as not in
        (("disk", "Exists", []), [True, True, False]),
        (("disk", "DoesNotExist", []), [False, False, True]),
        (("size", "Gt", ["9"]), [True, False, False]),  # "big" is no number: no match
        (("size", "Gt", ["10"]), [False, False, False]),
        (("size", "Lt", ["0"]), [False, True, False]),
        (("nothing", "NotIn", ["x"]), [True, True, True]),
        (("nothing", "Lt", ["5"]), [False, False, False]),
    ],
)
def test_node_affinity_operators(requirement, expected):
    key, operator, values = requirement
    term = NodeSelectorTerm([Requirement(key, operator, values)])
    pod = Pod("p", node_affinity=NodeAffinity([term]))
    assert admitted("NodeAffinity", Cluster(DISKS), pod) == expected


@pytest.mark.parametrize(
    ("selector", "required", "expected"),
    [
        ({"disk": "ssd"}, None, [True, False, False]),
        ({}, [], [False, False, False]),  # required without terms matches nothing
        ({}, [NodeSelectorTerm()], [False, False, False]),  # nor does an empty term
        (  # terms are ORed
            {},
            [
                NodeSelectorTerm([Requirement("disk", "In", ["hdd"])]),
                NodeSelectorTerm(match_fields=[Requirement("metadata.name", "In", ["n2"])]),
            ],
            [False, True, True],
        ),
        (  # expressions ANDed, and the selector too
            {"disk": "hdd"},
            [NodeSelectorTerm([Requirement("size", "Lt", ["0"]), Requirement("disk", "Exists")])],
            [False, True, False],
        ),
        (
            {},
            [NodeSelectorTerm(match_fields=[Requirement("metadata.name", "NotIn", ["n2"])])],
            [True, True, False],
        ),
    ],
)
def test_node_selector_and_terms(selector, required, expected):
    pod = Pod("p", node_selector=selector, node_affinity=NodeAffinity(required))
    assert admitted("MatchNodeSelector", Cluster(DISKS), pod) == expected


@pytest.mark.parametrize(
    ("tolerations", "expected"),
    [
        ([], [False, False, True, True]),
        ([Toleration("gpu", "Equal", "a", "NoSchedule")], [True, False, True, True]),
        ([Toleration("gpu", "Equal", "b")], [False, False, True, True]),
        ([Toleration("gpu", "Exists")], [True, True, True, True]),
        ([Toleration("gpu", "Exists", "", "NoExecute")], [False, True, True, True]),
        ([Toleration("", "Exists")], [True, True, True, True]),
    ],
)
def test_taint_toleration(tolerations, expected):
    nodes = [
        Node("n0", taints=[Taint("gpu", "a", "NoSchedule")]),
        Node("n1", taints=[Taint("gpu", "c", "NoExecute")]),
        Node("n2", taints=[Taint("gpu", "a", "PreferNoSchedule")]),
        Node("n3"),
    ]
    assert (
        admitted("TaintToleration", Cluster(nodes), Pod("p", tolerations=tolerations)) == expected
    )


STORE = Pod(labels={"app": "store"})
near_store = PodAffinityTerm(ZONE, {"app": "store"})


@pytest.mark.parametrize(
    ("pod", "placed", "expected"),
    [
        # A store runs in zone a: n0 and n1 (n2 is in b, n3 in none).
        (
            Pod("p", pod_affinity=PodAffinity([near_store])),
            [(STORE, 0)],
            [True, True, False, False],
        ),
        # None runs, and the pod is no store: nowhere.
        (Pod("p", pod_affinity=PodAffinity([near_store])), [], [False] * 4),
        # None runs, and it is one itself: the first of its kind, wherever there is a zone.
        (
            Pod("p", labels={"app": "store"}, pod_affinity=PodAffinity([near_store])),
            [],
            [True, True, True, False],
        ),
        # A store runs where no zone is: as if there were none.
        (
            Pod("p", labels={"app": "store"}, pod_affinity=PodAffinity([near_store])),
            [(STORE, 3)],
            [True, True, True, False],
        ),
        # Both terms must be met by the same pods: a store in default that is also blue.
        (
            Pod(
                "p",
                pod_affinity=PodAffinity([near_store, PodAffinityTerm(HOST, {"color": "blue"})]),
            ),
            [(STORE, 0), (Pod(labels={"color": "blue"}), 1)],
            [False] * 4,
        ),
        (
            Pod(
                "p",
                pod_affinity=PodAffinity([near_store, PodAffinityTerm(HOST, {"color": "blue"})]),
            ),
            [(Pod(labels={"app": "store", "color": "blue"}), 1)],
            [False, True, False, False],
        ),
        # Anti-affinity: away from zone a; a node without a zone is fine.
        (
            Pod("p", pod_anti_affinity=PodAffinity([near_store])),
            [(STORE, 1)],
            [False, False, True, True],
        ),
        # The store on n0 itself wants no web in its zone.
        (
            Pod("p", labels={"app": "web"}),
            [(Pod(pod_anti_affinity=PodAffinity([PodAffinityTerm(ZONE, {"app": "web"})])), 0)],
            [False, False, True, True],
        ),
        # Another namespace is not meant.
        (
            Pod("p", namespace="other", labels={"app": "web"}),
            [(Pod(pod_anti_affinity=PodAffinity([PodAffinityTerm(ZONE, {"app": "web"})])), 0)],
            [True] * 4,
        ),
        # A term without a selector means no pod.
        (
            Pod("p", pod_anti_affinity=PodAffinity([PodAffinityTerm(ZONE)])),
            [(STORE, 0)],
            [True] * 4,
        ),
    ],
)
def test_inter_pod_affinity(pod, placed, expected):
    cluster = with_pods(zoned("a", "a", "b", None), *placed)
    assert admitted("MatchInterPodAffinity", cluster, pod) == expected


def evenly(max_skew, **more):
    return TopologySpreadConstraint(max_skew, ZONE, "DoNotSchedule", {"app": "store"}, **more)


@pytest.mark.parametrize(
    ("constraint", "labels", "placed", "expected"),
    [
        # a has 1, b 0: one more in a would be 2 - 0 > 1. n3 has no zone.
        (evenly(1), {"app": "store"}, [0], [False, False, True, False]),
        # The pod is not counted itself: 1 - 0 <= 1.
        (evenly(1), {}, [0], [True, True, True, False]),
        (evenly(2), {"app": "store"}, [0], [True, True, True, False]),
        # a 1, b 1: both would be 2 - 1.
        (evenly(1), {"app": "store"}, [0, 2], [True, True, True, False]),
        # Three domains wanted, two there: the least counts as 0, so 2 - 0 > 1.
        (evenly(1, min_domains=3), {"app": "store"}, [0, 2], [False, False, False, False]),
        (evenly(1, min_domains=2), {"app": "store"}, [0, 2], [True, True, True, False]),
    ],
)
def test_pod_topology_spread(constraint, labels, placed, expected):
    cluster = with_pods(zoned("a", "a", "b", None), *[(STORE, node) for node in placed])
    pod = Pod("p", labels=labels, topology_spread_constraints=[constraint])
    assert admitted("PodTopologySpread", cluster, pod) == expected


def test_pod_topology_spread_policies():
    # b is tainted (not eligible with nodeTaintsPolicy Honor) and has disk hdd (not eligible for a
    # pod that selects ssd, unless nodeAffinityPolicy is Ignore). a has one pod, b none.
    nodes = [
        Node("n0", {}, {ZONE: "a", "disk": "ssd"}),
        Node("n1", {}, {ZONE: "b", "disk": "hdd"}, [Taint("t")]),
    ]
    cluster = with_pods(nodes, (STORE, 0))

    def verdict(selector, **policies):
        pod = Pod(
            "p",
            labels={"app": "store"},
            node_selector=selector,
            topology_spread_constraints=[evenly(1, **policies)],
        )
        return admitted("PodTopologySpread", cluster, pod)

    # b counts with 0 pods: 2 - 0 > 1 in a.
    assert verdict({}) == [False, True]
    # Only a counts: 2 - 1 <= 1; b's domain is not counted, 0 + 1 - 1.
    assert verdict({}, node_taints_policy="Honor") == [True, True]
    assert verdict({"disk": "ssd"}) == [True, True]
    assert verdict({"disk": "ssd"}, node_affinity_policy="Ignore") == [False, True]


def test_filter_says_why():
    nodes = [Node("n0", {"cpu": 100}, taints=[Taint("t")]), Node("n1", {"cpu": 1000})]
    result = Scheduler(Cluster(nodes)).filter(Pod("p", requests={"cpu": 500}))
    assert result.reasons(0) == [
        "NodeResourcesFit: Insufficient resources (cpu)",
        "TaintToleration: node(s) had untolerated taints",
    ]
    assert result.reasons(1) == []
    assert result.by_plugin["PodToleratesNodeTaints"].tolist() == [False, True]
    assert np.asarray(result).dtype == np.bool_
    assert (len(result), result[1], result.any(), result.all(), result.sum()) == (
        2,
        True,
        True,
        False,
        1,
    )


def test_nodes_may_be_named():
    nodes = [Node("a", {"cpu": 1000}), Node("b", {"cpu": 2000}), Node("c", {"cpu": 4000})]
    scheduler, pod = Scheduler(Cluster(nodes)), Pod("p", requests={"cpu": 1500})
    result = scheduler.filter(pod)
    assert result.names() == ["b", "c"]
    assert result.reasons("a") == result.reasons(0) != []
    assert result.reasons("b") == []
    named, numbered = scheduler.score(pod, ["c", "a"]), scheduler.score(pod, [2, 0])
    assert named.nodes.tolist() == [2, 0]
    assert named.total.tolist() == numbered.total.tolist()
    with pytest.raises(UnknownNodeError, match="there is no node 'z' among the 3"):
        scheduler.score(pod, ["z"])
    with pytest.raises(UnknownNodeError, match="no node number 7; the numbers are 0 to 2"):
        result.reasons(7)


def test_place_takes_the_best_node_and_remove_gives_it_back():
    # LeastAllocated prefers the larger, empty node; equals go to the first.
    cluster = Cluster([Node(f"n{i}", {"cpu": 1000, "memory": "2Gi"}) for i in range(2)])
    scheduler = Scheduler(cluster)
    pods = [Pod(f"p{i}", requests={"cpu": 400, "memory": "100Mi"}) for i in range(5)]
    assert [scheduler.place(pod).node for pod in pods[:4]] == ["n0", "n1", "n0", "n1"]
    assert scheduler.place(pods[4]) is None
    assert cluster.pod_count == 4
    assert scheduler.remove(pods[1]) == "n1"
    assert scheduler.choose(pods[4]).node == "n1"
    assert cluster.pod_count == 3  # choose changes nothing
    assert cluster.requested("cpu").tolist() == [800, 400]
    assert cluster.node_of("p0") == "n0"
    assert cluster.node_of(pods[1]) is None


def test_a_seed_breaks_ties_at_random_and_reproducibly():
    def choices(seed):
        cluster = Cluster([Node(f"n{i}") for i in range(20)])
        scheduler = Scheduler(cluster, seed=seed, scores=["NodeAffinity"])
        return [scheduler.place(Pod(f"p{i}")).number for i in range(10)]

    assert choices(None) == [0] * 10
    assert choices(1) == choices(1)
    assert len(set(choices(1))) > 3


def test_pods_placed_twice_unnamed_or_not_at_all_are_refused():
    scheduler = Scheduler(Cluster([Node("n")]))
    scheduler.place(Pod("p"))
    with pytest.raises(SchedulerInputError, match=r"pod default/p: .*placed already"):
        scheduler.cluster.add(Pod("p"), "n")
    with pytest.raises(SchedulerInputError, match="must not be empty"):
        scheduler.place(Pod())
    with pytest.raises(NotPlacedError, match="pod default/q is not placed"):
        scheduler.remove(Pod("q"))
    with pytest.raises(KeyError):
        scheduler.cluster.add(Pod("r"), "m")
    assert scheduler.cluster.pod_count == 1


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        # max(100, n * max(5, 50 - n / 125) / 100), all below 100 nodes.
        (50, 50),
        (99, 99),
        (100, 100),  # 50 % would be 50
        (1000, 420),  # 50 - 8 = 42 %
        (5000, 500),  # 50 - 40 = 10 %
        (6000, 300),  # 50 - 48 = 2, at least 5 %
        (100_000, 5000),
    ],
)
def test_adaptive_percentage_of_nodes_to_score(nodes, expected):
    assert nodes_to_find(nodes) == expected


def test_a_percentage_scores_part_of_the_nodes_and_goes_on_from_there():
    # 200 nodes: 49 % is 98, at least 100. Every other node is full: the search looks at 199
    # nodes (0 to 198) for 100 feasible ones; the next begins at 199 and wraps around.
    nodes = [Node(f"n{i:03d}", {"pods": 0 if i % 2 else 110}) for i in range(200)]
    scheduler = Scheduler(Cluster(nodes), percentage_of_nodes_to_score=0)
    first, second = scheduler.place(Pod("a")), scheduler.place(Pod("b"))
    assert (first.feasible, first.node) == (100, "n000")
    assert (second.feasible, second.node) == (100, "n000")
    small = Scheduler(Cluster(nodes[:50]), percentage_of_nodes_to_score=0)
    assert small.place(Pod("a")).feasible == 25


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Pod("p", requests={"cpu": -1}), "pod default/p: requests.cpu: -1 is negative"),
        (lambda: Pod("p", requests={"cpu": "lots"}), "requests.cpu: 'lots' is not a quantity"),
        (lambda: Node("n", {"memory": 2**64}), r"node n: status.allocatable.memory: .*2\*\*63"),
        (
            lambda: Pod("p", requests={"memory": 2**54}),
            r"pod default/p: requests.memory: .*2\*\*52",
        ),
        (lambda: Scheduler(Cluster([Node("n")]), "1.99"), "'1.99' is not known here; .* to 1.36"),
        (lambda: Scheduler(Cluster([Node("n")]), "1.19"), "'1.19' is not known here; .*1.20"),
        (lambda: Node(""), "metadata.name: must not be empty"),
        (lambda: Pod(3), r"metadata.name: \(3,\) must all be strings"),
        (lambda: Pod("p", requests=[1]), r"requests: must be a map, not \[1\]"),
        (lambda: Pod("p", images="nginx"), "images: must be a list, not 'nginx'"),
        (lambda: Pod("p", tolerations=[{"key": "a"}]), r"tolerations\[0\]: must be a Toleration"),
        (lambda: Pod("p", spread_selector="app"), "spread_selector: must be a LabelSelector"),
        (
            lambda: Pod("p", node_affinity={"required": []}),
            "nodeAffinity: must be a NodeAffinity, .*; .* pod_from_dict read Kubernetes' own form",
        ),
        (
            lambda: Pod("p", pod_affinity=PodAffinity([PodAffinityTerm(ZONE, "app=web")])),
            r"podAffinity.required\[0\].labelSelector: must be a LabelSelector, not 'app=web'",
        ),
        (
            lambda: Pod(
                "p", pod_affinity=PodAffinity([PodAffinityTerm(ZONE, {"matchLabels": {}})])
            ),
            r"labelSelector.matchLabels: 'matchLabels': {} must be strings; give {'app': 'web'}",
        ),
        (
            lambda: Pod("p", pod_affinity=PodAffinity([PodAffinityTerm(ZONE, {}, "default")])),
            "namespaces: must be a list, not 'default'",
        ),
        (
            lambda: Pod(
                "p",
                node_affinity=NodeAffinity([NodeSelectorTerm([Requirement("a", "In", "ssd")])]),
            ),
            r"matchExpressions\[0\].values: must be a list, not 'ssd'",
        ),
        (
            lambda: Pod(
                "p",
                topology_spread_constraints=[TopologySpreadConstraint(1, ZONE, min_domains="2")],
            ),
            r"topologySpreadConstraints\[0\].minDomains: must be an integer",
        ),
        (lambda: Cluster([{"metadata": {}}]), r"nodes\[0\]: must be a Node, .* node_from_dict"),
        (lambda: Cluster([Node("n")], ["x"]), "namespaces: must be a map"),
        (lambda: Scheduler([Node("n")]), "cluster: must be a Cluster"),
        (lambda: Scheduler(Cluster([Node("n")]), 1.3), "release: 1.3 is not a text like '1.30'"),
        (
            lambda: Scheduler(Cluster([Node("n")]), filters="NodeAffinity"),
            "filters: must be a list",
        ),
        (lambda: Scheduler(Cluster([Node("n")])).filter({}), "pod: must be a Pod"),
        (lambda: Scheduler(Cluster([Node("n")])).score(Pod(), [1]), "must be from 0 to 0"),
        (lambda: Scheduler(Cluster([Node("n")])).score(Pod(), [0.5]), "or numbers or names"),
        (lambda: Scheduler(Cluster([Node("n")])).score(Pod(), [True, False]), "has 2 entries"),
        (
            lambda: Pod(
                "p",
                node_affinity=NodeAffinity(
                    [NodeSelectorTerm([Requirement("a", "Exists"), Requirement("b", "Near")])]
                ),
            ),
            r"nodeAffinity.required.nodeSelectorTerms\[0\].matchExpressions\[1\].operator: "
            "unknown operator 'Near'",
        ),
        (
            lambda: Pod(
                "p",
                node_affinity=NodeAffinity([NodeSelectorTerm([Requirement("a", "Gt", ["x"])])]),
            ),
            r"matchExpressions\[0\].values: Gt needs exactly one integer",
        ),
        (
            lambda: Pod(
                "p",
                pod_affinity=PodAffinity([PodAffinityTerm("", {"a": "b"})]),
            ),
            r"podAffinity.required\[0\].topologyKey: must not be empty",
        ),
        (
            lambda: Pod("p", topology_spread_constraints=[TopologySpreadConstraint(0, ZONE)]),
            r"topologySpreadConstraints\[0\].maxSkew",
        ),
        (
            lambda: Pod("p", tolerations=[Toleration("a", "Like")]),
            r"tolerations\[0\].operator: unknown value 'Like'",
        ),
        (lambda: Node("n", taints=[Taint("a", effect="No")]), r"taints\[0\].effect"),
        (lambda: Cluster([]), "nodes: there must be at least one"),
        (lambda: Cluster([Node("n"), Node("n")]), "node n: metadata.name: two nodes"),
        (lambda: Scheduler(Cluster([Node("n")]), "2.0"), "release: '2.0'"),
        (
            lambda: Scheduler(Cluster([Node("n")]), filters=["PodFitResources"]),
            "unknown plugin 'PodFitResources'; did you mean PodFitsResources",
        ),
        (
            lambda: Scheduler(Cluster([Node("n")]), weights={"NodeAffinity": -1}),
            "weights.NodeAffinity",
        ),
    ],
)
def test_bad_input_names_the_object_and_the_field(make, message):
    with pytest.raises(SchedulerInputError, match=message):
        make()
