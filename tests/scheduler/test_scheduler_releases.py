"""What a release changes, on cases worked out by hand."""

import pytest

from cnbench.scheduler import Cluster, Node, Pod, Scheduler, Taint, TopologySpreadConstraint

MIB = 1024 * 1024
ZONE = "topology.kubernetes.io/zone"
WEB = Pod(labels={"app": "web", "rev": "1"})


def raw(name, cluster, pod, release, **options):
    return Scheduler(cluster, release, scores=[name], **options).score(pod).raw[name].tolist()


@pytest.mark.parametrize(("release", "least", "most"), [("1.21", 37, 12), ("1.22", 75, 25)])
def test_a_resource_that_a_node_lacks(release, least, most):
    # cpu (4000 - 1000) / 4000 = 75, used 25. No memory: left out of the mean, or 0 before 1.22.
    cluster = Cluster([Node("n", {"cpu": 4000})])
    pod = Pod("p", requests={"cpu": 1000})
    assert raw("LeastAllocated", cluster, pod, release) == [least]
    assert raw("MostAllocated", cluster, pod, release) == [most]


@pytest.mark.parametrize(("release", "expected"), [("1.21", [60, 60]), ("1.22", [90, 90])])
def test_an_extended_resource_nobody_requests(release, expected):
    # cpu 90 and memory 90; the GPU, which neither node has, counted 0 before 1.22: 180 / 3.
    nodes = [Node(name, {"cpu": 1000, "memory": 2000 * MIB}) for name in ("a", "b")]
    weights = {"cpu": 1, "memory": 1, "nvidia.com/gpu": 1}
    cluster = Cluster(nodes)
    found = raw("LeastAllocated", cluster, Pod("p"), release, resource_weights=weights)
    assert found == expected


@pytest.mark.parametrize(("release", "expected"), [("1.32", [75]), ("1.33", [0])])
def test_balancing_pods_that_request_nothing(release, expected):
    # Half of the cpu is used and no memory: sigma 0.25. Since 1.33 such a pod is not scored.
    cluster = Cluster([Node("n", {"cpu": 1000, "memory": 1000 * MIB})])
    cluster.add(Pod("there", requests={"cpu": 500}), "n")
    assert raw("BalancedAllocation", cluster, Pod("p"), release) == expected
    some = Pod("q", requests={"memory": 500 * MIB})
    assert raw("BalancedAllocation", cluster, some, release) == [100]


@pytest.mark.parametrize(("release", "expected"), [("1.29", [48]), ("1.30", [49])])
def test_images_of_init_containers(release, expected):
    # app 500 MiB: (500 - 23) / (1000 - 23) = 48.8. With setup's 500 MiB and 2 containers, since
    # 1.30: (1000 - 23) / (2000 - 23) = 49.4.
    cluster = Cluster([Node("n", images={"app": 500 * MIB, "setup": 500 * MIB})])
    pod = Pod("p", images=["app"], init_images=["setup"])
    assert raw("ImageLocality", cluster, pod, release) == expected


def spread(release, selector=None, **fields):
    """Where a pod like WEB may go: zone a has 2 such pods, b 1, and c, which is tainted, none."""
    nodes = [
        Node("a", {}, {ZONE: "a", "disk": "ssd"}),
        Node("b", {}, {ZONE: "b", "disk": "ssd"}),
        Node("c", {}, {ZONE: "c", "disk": "hdd"}, [Taint("t")]),
    ]
    cluster = Cluster(nodes)
    for number, node in enumerate(["a", "a", "b"]):
        revision = {"app": "web", "rev": str(number)}
        cluster.add(Pod(f"there-{number}", labels=revision), node)
    constraint = TopologySpreadConstraint(1, ZONE, "DoNotSchedule", {"app": "web"}, **fields)
    pod = Pod(
        "p",
        labels=dict(WEB.labels),
        node_selector=selector or {},
        topology_spread_constraints=[constraint],
    )
    scheduler = Scheduler(cluster, release, filters=["PodTopologySpread"])
    return scheduler.filter(pod).tolist()


def test_min_domains_by_release():
    # Only a and b count (ssd): the fewest is 1, so b's 1 + 1 - 1 = 1 is within the skew of 1.
    # Of 3 domains wanted there are 2, so that the fewest is 0: 1 + 1 - 0 = 2 is too much.
    ssd = {"disk": "ssd"}
    assert spread("1.27", selector=ssd, min_domains=3) == [False, False, True]
    assert spread("1.26", selector=ssd, min_domains=3) == [False, True, True]


def test_node_inclusion_policies_by_release():
    # c, whose taint is not tolerated, has the fewest, 0. Left out, the fewest is b's 1.
    assert spread("1.26") == [False, False, True]
    assert spread("1.26", node_taints_policy="Honor") == [False, True, True]
    assert spread("1.25", node_taints_policy="Honor") == [False, False, True]
    # The same of a node selector, which is honoured unless told otherwise.
    ssd = {"disk": "ssd"}
    assert spread("1.26", selector=ssd) == [False, True, True]
    assert spread("1.26", selector=ssd, node_affinity_policy="Ignore") == [False, False, True]
    assert spread("1.25", selector=ssd, node_affinity_policy="Ignore") == [False, True, True]


def test_match_label_keys_by_release():
    # Of revision 1 there is one pod, in a: a 1 + 1 - 0 = 2 is too much, b 0 + 1 - 0 is not.
    assert spread("1.27", match_label_keys=["rev"]) == [False, True, True]
    assert spread("1.26", match_label_keys=["rev"]) == [False, False, True]


def test_schedulers_of_two_releases_share_a_cluster():
    nodes = [Node("a", {}, {ZONE: "a"}), Node("b", {}, {ZONE: "b"})]
    cluster = Cluster(nodes)
    for number in range(3):
        cluster.add(WEB.named(f"there-{number}"), "a")
    constraint = TopologySpreadConstraint(1, ZONE, "ScheduleAnyway", {"app": "web"})
    pod = Pod("p", topology_spread_constraints=[constraint])
    # 3 ln 4 = 4.159 and 0: rounded or cut the same; with maxSkew 1 and 2 pods 2.77: 3 or 2.
    cluster.remove("there-0")
    assert raw("PodTopologySpread", cluster, pod, "1.30") == [3, 0]
    assert raw("PodTopologySpread", cluster, pod, "1.20") == [2, 0]
    assert raw("PodTopologySpread", cluster, pod, "1.30") == [3, 0]
