"""Every score on cases worked out by hand (the working is in the comments)."""

import pytest

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

MIB = 1024 * 1024
GIB = 1024 * MIB
ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"


def scored(name, cluster, pod, release="1.30", nodes=None, **options):
    scores = Scheduler(cluster, release, scores=[name], **options).score(pod, nodes)
    return scores.raw[name].tolist(), scores.normalised[name].tolist()


def zoned(*zones, **capacity):
    """Nodes n0, n1, ... with a hostname and, unless None, a zone."""
    return [
        Node(f"n{i}", capacity, {HOST: f"n{i}", **({ZONE: zone} if zone else {})})
        for i, zone in enumerate(zones)
    ]


def with_pods(nodes, *placed):
    """A cluster with pods placed: (pod, node number)."""
    cluster = Cluster(nodes)
    for number, (pod, node) in enumerate(placed):
        cluster.add(pod.named(f"placed-{number}"), node)
    return cluster


@pytest.mark.parametrize(
    ("capacity", "placed", "requests", "least", "most"),
    [
        # cpu (4000 - 3000) * 100 / 4000 = 25; memory (10000 - 5000) * 100 / 10000 = 50; mean 37.5
        # cut to 37. Most: 75 and 50, mean 62.5 cut to 62.
        ((4000, 10000), None, {"cpu": 3000, "memory": 5000 * MIB}, 37, 62),
        # cpu (3000 - 1000) * 100 / 3000 = 66.67 cut to 66; memory (9000 - 1) * 100 / 9000 = 99.99
        # cut to 99; mean 82.5 cut to 82. Most: 33.33 cut to 33, 0.01 cut to 0; mean 16.
        ((3000, 9000), None, {"cpu": 1000, "memory": MIB}, 82, 16),
        # Nothing requested counts as 100 mCPU and 200 MiB: cpu 900 / 1000 = 90, memory
        # 1800 / 2000 = 90. Most: 10 and 10.
        ((1000, 2000), None, {}, 90, 10),
        # An explicit 0 stays 0: cpu 100, memory (2000 - 200) / 2000 = 90; mean 95. Most: 0, 10.
        ((1000, 2000), None, {"cpu": 0}, 95, 5),
        # A pod that requests nothing is there already: 200 mCPU and 400 MiB in all.
        ((1000, 2000), {}, {}, 80, 20),
        # cpu 4001 > 4000 counts 0 (most: capped, 100); memory 50 and 50.
        ((4000, 10000), None, {"cpu": 4001, "memory": 5000 * MIB}, 25, 75),
        # All of both requested: 0 and 0, 100 and 100.
        ((4000, 10000), None, {"cpu": 4000, "memory": 10000 * MIB}, 0, 100),
        # No memory on the node: it does not take part; cpu alone (4000 - 1000) / 4000 = 75, 25.
        ((4000, 0), None, {"cpu": 1000}, 75, 25),
    ],
)
def test_least_and_most_allocated(capacity, placed, requests, least, most):
    nodes = [Node("n", {"cpu": capacity[0], "memory": capacity[1] * MIB})]
    cluster = with_pods(nodes, *([] if placed is None else [(Pod(requests=placed), 0)]))
    pod = Pod("p", requests=requests)
    assert scored("LeastAllocated", cluster, pod) == ([least], [least])
    assert scored("MostAllocated", cluster, pod) == ([most], [most])


def test_least_allocated_weighs_resources():
    # cpu 25 with weight 3, memory 50 with weight 1: (75 + 50) / 4 = 31.25 cut to 31.
    cluster = Cluster([Node("n", {"cpu": 4000, "memory": 10000 * MIB})])
    pod = Pod("p", requests={"cpu": 3000, "memory": 5000 * MIB})
    weights = {"cpu": 3, "memory": 1}
    assert scored("LeastAllocated", cluster, pod, resource_weights=weights)[0] == [31]


def test_an_extended_resource_counts_only_for_pods_that_request_it():
    # gpu (4 - 1) * 100 / 4 = 75; cpu 90, memory 90: (90 + 90 + 75) / 3 = 85. Without: 90.
    cluster = Cluster([Node("n", {"cpu": 1000, "memory": 2000 * MIB, "nvidia.com/gpu": 4})])
    weights = {"cpu": 1, "memory": 1, "nvidia.com/gpu": 1}
    asking = Pod("p", requests={"nvidia.com/gpu": 1})
    assert scored("LeastAllocated", cluster, asking, resource_weights=weights)[0] == [85]
    assert scored("LeastAllocated", cluster, Pod("q"), resource_weights=weights)[0] == [90]


@pytest.mark.parametrize(
    ("capacity", "requests", "expected"),
    [
        # Used 0.75 and 0.5: sigma 0.125, (1 - 0.125) * 100 = 87.5 cut to 87.
        ((4000, 10000), {"cpu": 3000, "memory": 5000}, 87),
        # Equal fractions: sigma 0.
        ((4000, 10000), {"cpu": 2000, "memory": 5000}, 100),
        # Nothing requested: no defaults here, 0 and 0.
        ((4000, 10000), {}, 100),
        # cpu 1.5 capped at 1, memory 0: sigma 0.5.
        ((4000, 10000), {"cpu": 6000, "memory": 0}, 50),
        # One resource only: sigma 0.
        ((4000, 0), {"cpu": 3000}, 100),
        # 1/3 and 2/3: sigma 1/6, 83.33 cut to 83.
        ((3000, 3000), {"cpu": 1000, "memory": 2000}, 83),
    ],
)
def test_balanced_allocation(capacity, requests, expected):
    cluster = Cluster([Node("n", {"cpu": capacity[0], "memory": capacity[1] * MIB})])
    if "memory" in requests:
        requests = {**requests, "memory": requests["memory"] * MIB}
    assert scored("BalancedAllocation", cluster, Pod("p", requests=requests))[1] == [expected]


def test_balanced_allocation_over_three_resources():
    # Used 0.5, 0.5 and 0.25: mean 0.41667, squares 0.00694 * 2 + 0.02778 = 0.04167, by 3 and
    # rooted 0.11785: (1 - 0.11785) * 100 = 88.2 cut to 88.
    cluster = Cluster([Node("n", {"cpu": 1000, "memory": GIB, "gpu": 4})])
    pod = Pod("p", requests={"cpu": 500, "memory": GIB // 2, "gpu": 1})
    weights = {"cpu": 1, "memory": 1, "gpu": 1}
    assert scored("BalancedAllocation", cluster, pod, resource_weights=weights)[0] == [88]


WEB = Pod(labels={"app": "web"}, spread_selector={"app": "web"})


@pytest.mark.parametrize(
    ("zones", "counts", "expected"),
    [
        # No zones: 100 * (3 - c) / 3 is 0, 66.67, 100.
        ((None, None, None), (3, 1, 0), [0, 66, 100]),
        # Nothing runs: 100.
        ((None, None), (0, 0), [100, 100]),
        ((("a"), ("b")), (0, 0), [100, 100]),
        # Node parts 100 * (2 - c) / 2: 0, 50, 100, 100. Zone sums a 3, b 0: zone parts 0, 0, 100,
        # 100. A third and two thirds: 0, 16.67, 100, 100.
        (("a", "a", "b", "b"), (2, 1, 0, 0), [0, 16, 100, 100]),
        # Node parts 0, 50, 100; zones a 4, b 2: 0 and 50, so 0 and 16.67 + 33.33 = 50; n2, without
        # a zone, counts alone: 100.
        (("a", "b", None), (4, 2, 0), [0, 50, 100]),
    ],
)
def test_selector_spread(zones, counts, expected):
    placed = [(WEB, node) for node, count in enumerate(counts) for _ in range(count)]
    assert scored("SelectorSpread", with_pods(zoned(*zones), *placed), WEB) == (
        list(counts),
        expected,
    )


def test_selector_spread_counts_only_live_pods_of_the_namespace():
    other = Pod(namespace="other", labels={"app": "web"})
    dying = Pod(labels={"app": "web"}, terminating=True)
    cluster = with_pods(zoned(None, None), (other, 0), (dying, 0), (WEB, 1))
    assert scored("SelectorSpread", cluster, WEB) == ([0, 1], [100, 0])


def test_selector_spread_leaves_pods_with_constraints_alone():
    constraint = TopologySpreadConstraint(1, ZONE, "ScheduleAnyway", {"app": "web"})
    pod = Pod("p", spread_selector={"app": "web"}, topology_spread_constraints=[constraint])
    assert scored("SelectorSpread", with_pods(zoned("a", "b"), (WEB, 0)), pod)[1] == [0, 0]


def any_way(max_skew, key):
    return TopologySpreadConstraint(max_skew, key, "ScheduleAnyway", {"app": "web"})


@pytest.mark.parametrize(
    ("release", "constraints", "raw", "normalised"),
    [
        # Two zones: weight ln 4 = 1.386. a has 3 pods (4.159), b 1 (1.386); rounded 4, 1.
        # 100 * (4 + 1 - s) / 4: 25, 25, 100; the node without a zone 0.
        ("1.30", [any_way(1, ZONE)], [4, 4, 1, 0], [25, 25, 100, 0]),
        # Truncated before 1.24 just the same here.
        ("1.20", [any_way(1, ZONE)], [4, 4, 1, 0], [25, 25, 100, 0]),
        # maxSkew 3 adds 2: 6.159 and 3.386; rounded 6, 3: 100 * (9 - s) / 6 = 50, 100.
        ("1.30", [any_way(3, ZONE)], [6, 6, 3, 0], [50, 50, 100, 0]),
        # Four hosts: weight ln 6 = 1.792. 2, 1, 1, 0 pods: 3.584, 1.792, 1.792, 0; rounded 4, 2,
        # 2, 0: 100 * (4 + 0 - s) / 4. Truncated 3, 1, 1, 0: 100 * (3 - s) / 3 = 0, 66, 66, 100.
        ("1.30", [any_way(1, HOST)], [4, 2, 2, 0], [0, 50, 50, 100]),
        ("1.20", [any_way(1, HOST)], [3, 1, 1, 0], [0, 66, 66, 100]),
        # Both: n3 has no zone and is left out, so three hosts, weight ln 5 = 1.609. 4.159 + 3.219
        # = 7.378, 4.159 + 1.609 = 5.768, 1.386 + 1.609 = 2.996: rounded 7, 6, 3.
        # 100 * (10 - s) / 7: 42.86, 57.14, 100.
        ("1.30", [any_way(1, ZONE), any_way(1, HOST)], [7, 6, 3, 0], [42, 57, 100, 0]),
    ],
)
def test_pod_topology_spread(release, constraints, raw, normalised):
    nodes = zoned("a", "a", "b", None)
    cluster = with_pods(nodes, (WEB, 0), (WEB, 0), (WEB, 1), (WEB, 2))
    pod = Pod("p", labels={"app": "web"}, topology_spread_constraints=constraints)
    assert scored("PodTopologySpread", cluster, pod, release) == (raw, normalised)


def test_pod_topology_spread_of_the_first_pod_is_100_everywhere():
    # Counts 0, maxSkew 1: every sum is 0, so the maximum is 0.
    pod = Pod("p", labels={"app": "web"}, topology_spread_constraints=[any_way(1, ZONE)])
    assert scored("PodTopologySpread", Cluster(zoned("a", "b")), pod) == ([0, 0], [100, 100])


def test_pod_topology_spread_counts_domains_among_the_nodes_scored():
    # Only n0 and n1 (zone a) are scored: one domain, weight ln 3 = 1.0986; 3 pods: 3.3, 3.
    cluster = with_pods(zoned("a", "a", "b"), (WEB, 0), (WEB, 0), (WEB, 1), (WEB, 2))
    pod = Pod("p", labels={"app": "web"}, topology_spread_constraints=[any_way(1, ZONE)])
    assert scored("PodTopologySpread", cluster, pod, nodes=[0, 1]) == ([3, 3], [100, 100])


def test_pod_topology_spread_honours_node_affinity_unless_told_to_ignore_it():
    # Zone a: n0 is not admitted by the selector, so its two pods count only when ignored.
    nodes = [
        Node("n0", {}, {ZONE: "a", "disk": "hdd"}),
        Node("n1", {}, {ZONE: "a", "disk": "ssd"}),
        Node("n2", {}, {ZONE: "b", "disk": "ssd"}),
    ]
    cluster = with_pods(nodes, (WEB, 0), (WEB, 0), (WEB, 2))

    def raw(policy):
        constraint = TopologySpreadConstraint(
            1, ZONE, "ScheduleAnyway", {"app": "web"}, node_affinity_policy=policy
        )
        pod = Pod("p", node_selector={"disk": "ssd"}, topology_spread_constraints=[constraint])
        return scored("PodTopologySpread", cluster, pod)[0]

    # Weight ln 4 = 1.386: 0 or 2 pods in a (2.77, 3), 1 in b (1.386, 1).
    assert raw("Honor") == [0, 0, 1]
    assert raw("Ignore") == [3, 3, 1]


def test_match_label_keys_count_pods_of_the_same_revision_only():
    # a holds one pod of revision 1 and one of 2, b one of 2; the pod is of revision 2.
    old = Pod(labels={"app": "web", "rev": "1"})
    new = Pod(labels={"app": "web", "rev": "2"})
    cluster = with_pods(zoned("a", "b"), (old, 0), (old, 0), (new, 1))
    constraint = TopologySpreadConstraint(
        1, ZONE, "ScheduleAnyway", {"app": "web"}, match_label_keys=["rev"]
    )
    pod = Pod("p", labels=dict(new.labels), topology_spread_constraints=[constraint])
    assert scored("PodTopologySpread", cluster, pod)[0] == [0, 1]


def prefer(weight, *requirements):
    return PreferredSchedulingTerm(weight, NodeSelectorTerm(requirements))


def test_node_affinity_sums_the_weights_of_matched_terms():
    # ssd 30, zone a 50: 80, 30, 50, 0; of the highest, 80: 100, 37.5, 62.5, 0.
    nodes = [
        Node("n0", {}, {"disk": "ssd", "zone": "a"}),
        Node("n1", {}, {"disk": "ssd", "zone": "b"}),
        Node("n2", {}, {"disk": "hdd", "zone": "a"}),
        Node("n3"),
    ]
    preferred = [
        prefer(30, Requirement("disk", "In", ["ssd"])),
        prefer(50, Requirement("zone", "In", ["a"])),
        prefer(99),  # An empty preference is worth nothing.
    ]
    pod = Pod("p", node_affinity=NodeAffinity(preferred=preferred))
    assert scored("NodeAffinity", Cluster(nodes), pod) == ([80, 30, 50, 0], [100, 37, 62, 0])
    assert scored("NodeAffinity", Cluster(nodes), Pod("q")) == ([0] * 4, [0] * 4)
    # Without n0 the highest is 50: 60, 100, 0.
    assert scored("NodeAffinity", Cluster(nodes), pod, nodes=[1, 2, 3])[1] == [60, 100, 0]


def test_taint_toleration_counts_untolerated_preferences():
    # 3, 1 (one of two tolerated), 0 and 0 (a NoSchedule taint does not count):
    # 100 - 100 * s / 3 = 0, 100 - 33, 100, 100.
    soft = [Taint(key, "x", "PreferNoSchedule") for key in ("a", "b", "c")]
    nodes = [
        Node("n0", taints=[Taint("d", "", "PreferNoSchedule"), soft[1], soft[2]]),
        Node("n1", taints=soft[:2]),
        Node("n2", taints=[Taint("a", "y", "NoSchedule")]),
        Node("n3"),
    ]
    pod = Pod("p", tolerations=[Toleration("a", "Exists", "", "PreferNoSchedule")])
    assert scored("TaintToleration", Cluster(nodes), pod) == ([3, 1, 0, 0], [0, 67, 100, 100])
    # A toleration for NoSchedule only does not help.
    hard = Pod("q", tolerations=[Toleration("a", "Exists", "", "NoSchedule")])
    assert scored("TaintToleration", Cluster(nodes), hard)[0] == [3, 2, 0, 0]


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        # big: 1000 MiB on 1 of 2 nodes: 500 MiB; (500 - 23) / (1000 - 23) = 48.8.
        (["big"], [48, 0]),
        # small: 20 MiB on both: below 23 MiB.
        (["small"], [0, 0]),
        # Two containers: 500 + 20 = 520 MiB; (520 - 23) / (2000 - 23) = 25.1.
        (["big", "small"], [25, 0]),
        # The same image twice counts twice: (1000 - 23) / (2000 - 23) = 49.4.
        (["big", "big:latest"], [49, 0]),
        # huge: 5000 MiB on 1 of 2: 2500, capped at 1000: 100.
        (["huge"], [0, 100]),
        (["unknown"], [0, 0]),
        ([], [0, 0]),
    ],
)
def test_image_locality(images, expected):
    nodes = [
        Node("n0", images={"big:latest": 1000 * MIB, "small": 20 * MIB}),
        Node("n1", images={"small": 20 * MIB, "huge": 5000 * MIB}),
    ]
    assert scored("ImageLocality", Cluster(nodes), Pod("p", images=images))[1] == expected


def like(weight, key, app):
    return WeightedPodAffinityTerm(weight, PodAffinityTerm(key, {"app": app}))


STORE = Pod(labels={"app": "store"})


def test_inter_pod_affinity_counts_the_pods_own_preferences():
    # store pods: n0 two, n2 one. Zone a gets 2 * 10, zone b 1 * 10; hosts lose 3 a pod:
    # n0 20 - 6 = 14, n1 20, n2 10 - 3 = 7, n3 (no zone) 0.
    # Range 0 to 20: 70, 100, 35, 0.
    cluster = with_pods(zoned("a", "a", "b", None), (STORE, 0), (STORE, 0), (STORE, 2))
    pod = Pod(
        "p",
        pod_affinity=PodAffinity(preferred=[like(10, ZONE, "store")]),
        pod_anti_affinity=PodAffinity(preferred=[like(3, HOST, "store")]),
    )
    assert scored("InterPodAffinity", cluster, pod) == ([14, 20, 7, 0], [70, 100, 35, 0])


def test_inter_pod_affinity_counts_the_preferences_of_pods_already_there():
    # n0's pod prefers web in its zone (weight 8); n2's would rather not share its host (-5);
    # n1's requires web in its zone (hard weight 1, or 20).
    # raw: zone a 8 + 1 = 9 for n0 and n1, n2 -5. Range -5 to 9: 100, 100, 0.
    keen = Pod(pod_affinity=PodAffinity(preferred=[like(8, ZONE, "web")]))
    shy = Pod(pod_anti_affinity=PodAffinity(preferred=[like(5, HOST, "web")]))
    needy = Pod(pod_affinity=PodAffinity([PodAffinityTerm(ZONE, {"app": "web"})]))
    cluster = with_pods(zoned("a", "a", "b"), (keen, 0), (needy, 1), (shy, 2))
    pod = Pod("p", labels={"app": "web"})
    assert scored("InterPodAffinity", cluster, pod) == ([9, 9, -5], [100, 100, 0])
    heavy = scored("InterPodAffinity", cluster, pod, hard_pod_affinity_weight=20)
    assert heavy[0] == [28, 28, -5]
    assert scored("InterPodAffinity", cluster, Pod("q")) == ([0, 0, 0], [0, 0, 0])


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        # raw 10, 30, 20. Own range 10 to 30: 0, 100, 50.
        ("1.22", [0, 100, 50]),
        # From 0, until 1.22: 100 * s / 30: 33.3, 100, 66.7.
        ("1.21", [33, 100, 66]),
    ],
)
def test_inter_pod_affinity_normalised_by_release(release, expected):
    cluster = with_pods(zoned("a", "b", "c"), *[(STORE, node) for node in (0, 1, 1, 1, 2, 2)])
    pod = Pod("p", pod_affinity=PodAffinity(preferred=[like(10, ZONE, "store")]))
    assert scored("InterPodAffinity", cluster, pod, release) == ([10, 30, 20], expected)


def test_inter_pod_affinity_cuts_floats_as_kubernetes_does():
    # 29 of 100: Go computes 100 * (29 / 100) = 28.999999999999996 and cuts it to 28.
    cluster = with_pods(zoned("a", "b", "c"), (STORE, 0), (Pod(labels={"app": "x"}), 1))
    pod = Pod(
        "p", pod_affinity=PodAffinity(preferred=[like(29, ZONE, "store"), like(100, ZONE, "x")])
    )
    assert scored("InterPodAffinity", cluster, pod) == ([29, 100, 0], [28, 100, 0])


def test_inter_pod_affinity_heeds_namespaces():
    far = Pod(namespace="far", labels={"app": "store"})
    nodes = zoned("a", "b")
    cluster = Cluster(nodes, namespaces={"far": {"team": "x"}})
    cluster.add(far.named("f"), 0)

    def raw(**where):
        term = PodAffinityTerm(ZONE, LabelSelector({"app": "store"}), **where)
        pod = Pod("p", pod_affinity=PodAffinity(preferred=[WeightedPodAffinityTerm(7, term)]))
        return scored("InterPodAffinity", cluster, pod)[0]

    assert raw() == [0, 0]  # The pod's own namespace.
    assert raw(namespaces=["far"]) == [7, 0]
    assert raw(namespace_selector=LabelSelector()) == [7, 0]  # Empty: all namespaces.
    assert raw(namespace_selector=LabelSelector({"team": "x"})) == [7, 0]
    assert raw(namespace_selector=LabelSelector({"team": "y"})) == [0, 0]


def test_the_total_weighs_and_sums():
    # n0: TaintToleration 0 * 3, NodeAffinity 100 * 2; n1: 100 * 3 and 0.
    nodes = [Node("n0", {}, {"d": "s"}, [Taint("t", "", "PreferNoSchedule")]), Node("n1")]
    pod = Pod("p", node_affinity=NodeAffinity(preferred=[prefer(9, Requirement("d", "Exists"))]))
    chosen = ["NodeAffinityPriority", "TaintToleration"]
    scores = Scheduler(Cluster(nodes), scores=chosen).score(pod)
    assert scores.total.tolist() == [200, 300]
    assert scores.best() == "n1"
    weighted = Scheduler(Cluster(nodes), scores=chosen, weights={"TaintTolerationPriority": 1})
    assert weighted.score(pod).total.tolist() == [200, 100]
    assert weighted.score(pod).weighted["NodeAffinity"].tolist() == [200, 0]
    assert scores.raw["NodeAffinityPriority"] is scores.raw["NodeAffinity"]
