"""A KubeSchedulerConfiguration, read and heeded."""

import pytest

from cnbench.scheduler import (
    Cluster,
    Node,
    Pod,
    PodAffinity,
    PodAffinityTerm,
    Scheduler,
    SchedulerInputError,
    WeightedPodAffinityTerm,
)
from cnbench.scheduler.inputs.configuration import profile_from_dict
from cnbench.scheduler.profiles import default_profile, default_weights
from cnbench.scheduler.releases import KubernetesRelease

ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"


def configured(version="v1", release="1.30", name="", **profile):
    given = {
        "apiVersion": f"kubescheduler.config.k8s.io/{version}",
        "kind": "KubeSchedulerConfiguration",
        "profiles": [profile],
    }
    return profile_from_dict(given, release, name)


def settings(plugin, **args):
    return configured(pluginConfig=[{"name": plugin, "args": args}])


def scores(cluster, profile, pod, name, release="1.30"):
    return Scheduler(cluster, release, profile=profile).score(pod).raw[name].tolist()


def test_an_empty_configuration_is_the_default():
    profile, default = configured(), default_profile(KubernetesRelease(30))
    assert (profile.filters, profile.weights) == (default.filters, default.weights)


@pytest.mark.parametrize(
    ("minor", "changes"),
    [
        (20, {"TaintToleration": 1, "NodeAffinity": 1, "InterPodAffinity": 1}),
        (22, {"TaintToleration": 1}),
        (23, {"TaintToleration": 3, "NodeAffinity": 2, "InterPodAffinity": 2}),
        (36, {"TaintToleration": 3, "PodTopologySpread": 2}),
    ],
)
def test_default_weights_by_release(minor, changes):
    weights = default_weights(KubernetesRelease(minor))
    assert weights.items() >= changes.items()
    assert "SelectorSpread" not in weights
    assert Scheduler(Cluster([Node("n")]), f"1.{minor}").weights == weights


def test_weights_and_disabled_plugins():
    plugins = {
        "score": {
            "disabled": [{"name": "ImageLocality"}],
            "enabled": [{"name": "NodeResourcesFit", "weight": 5}],
        },
        "multiPoint": {"disabled": [{"name": "TaintToleration"}]},
        "filter": {"disabled": [{"name": "NodePorts"}]},
    }
    profile = configured(plugins=plugins)
    assert profile.weights["LeastAllocated"] == 5
    assert not {"ImageLocality", "TaintToleration"} & {*profile.weights, *profile.filters}
    assert "NodePorts" not in profile.filters
    only = configured(
        plugins={"score": {"disabled": [{"name": "*"}], "enabled": [{"name": "NodeAffinity"}]}}
    )
    assert only.weights == {"NodeAffinity": 1}
    assert only.filters == default_profile(KubernetesRelease(30)).filters


def test_the_format_brings_its_own_weights():
    assert configured("v1beta2", "1.25").weights["TaintToleration"] == 1
    assert configured("v1beta3", "1.25").weights["TaintToleration"] == 3


def test_the_strategy_of_node_resources_fit():
    cluster = Cluster([Node("n", {"cpu": 1000, "memory": 1000, "gpu.com/a": 4})])
    pod = Pod("p", requests={"cpu": 250, "memory": 500, "gpu.com/a": 1})
    most = settings(
        "NodeResourcesFit",
        scoringStrategy={
            "type": "MostAllocated",
            "resources": [{"name": "cpu", "weight": 3}, {"name": "memory", "weight": 1}],
        },
    )
    assert scores(cluster, most, pod, "MostAllocated") == [(3 * 25 + 50) // 4]
    assert "LeastAllocated" not in most.weights


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        # cpu 25 % used, memory 50 %: the line through (0, 0) and (100, 10), tenfold: 25 and 50.
        ([(0, 0), (100, 10)], 38),  # 37.5, rounded
        ([(0, 10), (100, 0)], 63),  # 75 and 50: 62.5
        ([(30, 2), (60, 8)], 40),  # below the first point its 20; (20 * 30 + 60 * 20) / 30 = 60
        ([(30, 0), (60, 8)], 53),  # cpu scores 0 and takes no part; 80 * 20 / 30 = 53
    ],
)
def test_requested_to_capacity_ratio(shape, expected):
    cluster = Cluster([Node("n", {"cpu": 1000, "memory": 1000})])
    points = [{"utilization": at, "score": score} for at, score in shape]
    strategy = {
        "type": "RequestedToCapacityRatio",
        "requestedToCapacityRatio": {"shape": points},
    }
    profile = settings("NodeResourcesFit", scoringStrategy=strategy)
    pod = Pod("p", requests={"cpu": 250, "memory": 500})
    assert scores(cluster, profile, pod, "RequestedToCapacityRatio") == [expected]


def test_ignored_resources():
    cluster = Cluster([Node("n", {"cpu": 1000})])
    pod = Pod("p", requests={"cpu": 1, "example.com/a": 1, "other.com/b": 1})
    for args, fits in (
        ({}, False),
        ({"ignoredResources": ["example.com/a"]}, False),
        ({"ignoredResources": ["example.com/a", "other.com/b"]}, True),
        ({"ignoredResources": ["example.com/a"], "ignoredResourceGroups": ["other.com"]}, True),
    ):
        scheduler = Scheduler(cluster, profile=settings("NodeResourcesFit", **args))
        assert scheduler.filter(pod).tolist() == [fits]


def expressions(key, *values):
    return {"matchExpressions": [{"key": key, "operator": "In", "values": list(values)}]}


def test_added_affinity():
    nodes = [Node("a", {}, {"disk": "ssd", "new": "y"}), Node("b", {}, {"disk": "ssd"}), Node("c")]
    required = {"nodeSelectorTerms": [expressions("disk", "ssd")]}
    preferred = [{"weight": 7, "preference": expressions("new", "y")}]
    profile = settings(
        "NodeAffinity",
        addedAffinity={
            "requiredDuringSchedulingIgnoredDuringExecution": required,
            "preferredDuringSchedulingIgnoredDuringExecution": preferred,
        },
    )
    scheduler = Scheduler(Cluster(nodes), profile=profile)
    pod = Pod("p", node_selector={"new": "y"})
    assert scheduler.filter(Pod("q")).by_plugin["NodeAffinity"].tolist() == [True, True, False]
    assert scheduler.filter(pod).by_plugin["NodeAffinity"].tolist() == [True, False, False]
    assert scheduler.score(Pod("q")).raw["NodeAffinity"].tolist() == [7, 0, 0]


def test_default_constraints():
    nodes = [Node(name, {}, {ZONE: zone, HOST: name}) for name, zone in ("az", "bz", "cy")]
    cluster = Cluster(nodes)
    for number in range(2):
        cluster.add(Pod(f"p{number}", labels={"app": "a"}), "a")
    pod = Pod("p", labels={"app": "a"}, spread_selector={"app": "a"})
    constraint = {"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule"}
    listed = settings("PodTopologySpread", defaultingType="List", defaultConstraints=[constraint])
    scheduler = Scheduler(cluster, profile=listed)
    assert scheduler.filter(pod).tolist() == [False, False, True]
    assert scheduler.score(pod).raw["PodTopologySpread"].tolist() == [0, 0, 0]
    # Without a service or a controller there is nothing to spread.
    assert scheduler.filter(Pod("q", labels={"app": "a"})).tolist() == [True, True, True]
    none = settings("PodTopologySpread", defaultingType="List")
    assert scores(cluster, none, pod, "PodTopologySpread") == [0, 0, 0]
    # The system's: 2 ln 5 + 2 and, zones of 2 and 0, 2 ln 4 + 4.
    assert scores(cluster, None, pod, "PodTopologySpread") == [12, 9, 6]


def near(weight):
    term = PodAffinityTerm(HOST, {"app": "a"})
    return PodAffinity([], [WeightedPodAffinityTerm(weight, term)])


def test_inter_pod_affinity():
    cluster = Cluster([Node(name, {}, {HOST: name}) for name in "ab"])
    cluster.add(Pod("there", labels={"app": "a"}, pod_affinity=near(10)), "a")
    required = PodAffinity([PodAffinityTerm(HOST, {"app": "a"})])
    cluster.add(Pod("bound", labels={"app": "b"}, pod_affinity=required), "b")
    hard = settings("InterPodAffinity", hardPodAffinityWeight=7)
    pod = Pod("p", labels={"app": "a"})
    assert scores(cluster, hard, pod, "InterPodAffinity") == [10, 7]
    ignoring = settings("InterPodAffinity", ignorePreferredTermsOfExistingPods=True)
    assert scores(cluster, ignoring, pod, "InterPodAffinity") == [0, 0]
    asking = Pod("p", labels={"app": "a"}, pod_affinity=near(5))
    assert scores(cluster, ignoring, asking, "InterPodAffinity") == [15, 1]


def test_profiles_have_names():
    given = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "percentageOfNodesToScore": 50,
        "profiles": [
            {"schedulerName": "default-scheduler"},
            {
                "schedulerName": "packing",
                "percentageOfNodesToScore": 10,
                "plugins": {"score": {"disabled": [{"name": "*"}]}},
            },
        ],
    }
    assert profile_from_dict(given, "1.30").percentage_of_nodes_to_score == 50
    packing = profile_from_dict(given, "1.30", "packing")
    assert (packing.weights, packing.percentage_of_nodes_to_score) == ({}, 10)
    with pytest.raises(SchedulerInputError, match="none is called 'x'; there are default-sched"):
        profile_from_dict(given, "1.30", "x")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: configured("v1", "1.24"), "apiVersion: Kubernetes 1.24 does not read v1"),
        (lambda: configured("v2"), "apiVersion: .* is none of"),
        (lambda: configured(plugin={}), "plugin: there is no such field; did you mean plugins"),
        (
            lambda: configured(plugins={"scores": {}}),
            "plugins.scores: there is no such field; did you mean score",
        ),
        (
            lambda: configured(plugins={"score": {"enabled": [{"name": "NodeResourceFit"}]}}),
            "unknown plugin 'NodeResourceFit'; did you mean NodeResourcesFit",
        ),
        (
            lambda: configured(plugins={"score": {"enabled": [{"name": "Coscheduling"}]}}),
            "plugins of others are not modelled",
        ),
        (
            lambda: configured(plugins={"score": {"enabled": [{"name": "SelectorSpread"}]}}),
            "1.30 has no SelectorSpread",
        ),
        (
            lambda: configured(plugins={"preScore": {"disabled": [{"name": "NodeAffinity"}]}}),
            "disable the whole plugin",
        ),
        (lambda: settings("NodeResourcesFit", scoringStrategy={"type": "Best"}), "strategy 'Best'"),
        (
            lambda: settings("NodeResourcesFit", ignoreResources=[]),
            "ignoreResources: .* did you mean ignoredResources",
        ),
        (
            lambda: settings("PodTopologySpread", defaultConstraints=[{}]),
            "defaultConstraints: is for defaultingType List alone",
        ),
        (lambda: settings("InterPodAffinity", hardPodAffinityWeight=101), "from 0 to 100"),
        (lambda: settings("NodeNumber"), "settings of 'NodeNumber' are not modelled"),
        (lambda: profile_from_dict({"kind": "Pod"}, "1.30"), "kind: 'Pod' is no"),
    ],
)
def test_what_cannot_be_heeded_is_refused(make, message):
    with pytest.raises(SchedulerInputError, match=message):
        make()


def test_extenders_are_refused():
    given = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "extenders": [{"urlPrefix": "http://127.0.0.1"}],
    }
    with pytest.raises(SchedulerInputError, match="extenders: extenders are not modelled"):
        profile_from_dict(given, "1.30")


def test_selector_spread_could_be_configured_up_to_1_28():
    plugins = {"score": {"enabled": [{"name": "SelectorSpread", "weight": 2}]}}
    assert configured("v1", "1.28", plugins=plugins).weights["SelectorSpread"] == 2
