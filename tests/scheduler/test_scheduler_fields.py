"""Fields of Kubernetes' objects: each is heeded, or the pod is refused or warned of by its name."""

import copy
import warnings

import pytest

from cnbench.core.errors import CnbenchError, UsageError
from cnbench.scheduler import (
    Cluster,
    Node,
    NotPlacedError,
    Pod,
    Scheduler,
    SchedulerInputError,
    UnknownNodeError,
    cluster_from_dicts,
    node_from_dict,
    pod_from_dict,
)
from cnbench.scheduler.errors import UnmodelledWarning
from cnbench.scheduler.inputs.kubernetes_cluster import storage_from_dicts

ZONE = "topology.kubernetes.io/zone"


def node(name, cpu="4", labels=None, **fields):
    return {
        "metadata": {"name": name, "labels": labels or {}},
        "status": {"allocatable": {"cpu": cpu, "memory": "8Gi", "pods": "110"}},
        **fields,
    }


def pod(name="p", cpu="1", node_name=None, **spec):
    containers = [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]
    given = {"metadata": {"name": name}, "spec": {"containers": containers, **spec}}
    if node_name:
        given["spec"]["nodeName"] = node_name
    return given


def fits(nodes, asked, placed=(), release="1.35", storage=None):
    cluster, _ = cluster_from_dicts(nodes, placed)
    made = pod_from_dict(asked) if storage is None else pod_from_dict(asked, None, storage)
    return Scheduler(cluster, release).filter(made)


@pytest.mark.parametrize(("release", "expected"), [("1.33", [True, True]), ("1.34", [False, True])])
def test_pod_level_resources_since_1_34(release, expected):
    nodes = [node("a", "4"), node("b", "8")]
    asked = pod(resources={"requests": {"cpu": "6"}})
    assert fits(nodes, asked, release=release).tolist() == expected
    # So they do of a pod that is placed: 6 of 8 are taken, and 3 are too many.
    there = pod("there", node_name="b", resources={"requests": {"cpu": "6"}})
    three = fits(nodes, pod(cpu="3"), [there], release).tolist()
    assert three == [True, release == "1.33"]
    # Limits of the pod without requests of anybody are requests; with a container's, those are.
    limited = pod(resources={"limits": {"cpu": "6", "memory": "1Gi"}})
    assert fits(nodes, limited, release=release).tolist() == [True, True]
    limited["spec"]["containers"] = [{"name": "c"}]
    assert fits(nodes, limited, release=release).tolist() == expected


@pytest.mark.parametrize(
    ("release", "status", "expected"),
    [
        ("1.32", {"resources": {"requests": {"cpu": "3"}}}, True),
        # What runs still has 3 of 4 cpus.
        ("1.33", {"resources": {"requests": {"cpu": "3"}}}, False),
        ("1.33", {"resources": {}, "allocatedResources": {"cpu": "3"}}, False),
        ("1.33", {"allocatedResources": {"cpu": "3"}}, True),
    ],
)
def test_pods_being_resized_count_with_the_most_since_1_33(release, status, expected):
    there = pod("there", node_name="a")
    there["status"] = {"containerStatuses": [{"name": "c", **status}]}
    assert fits([node("a")], pod(cpu="2"), [there], release).tolist() == [expected]


def test_a_resize_that_cannot_be_done_counts_what_runs():
    there = pod("there", cpu="4", node_name="a")
    running = {"name": "c", "resources": {"requests": {"cpu": "1"}}}
    pending = {"type": "PodResizePending", "status": "True", "reason": "Infeasible"}
    there["status"] = {"containerStatuses": [running], "conditions": [pending]}
    assert fits([node("a")], pod(cpu="2"), [there]).tolist() == [True]


def ported(name="p", node_name=None, protocol="TCP", address="", **spec):
    given = pod(name, node_name=node_name, **spec)
    port = {"containerPort": 80, "hostPort": 80, "protocol": protocol, "hostIP": address}
    given["spec"]["containers"][0]["ports"] = [port]
    return given


@pytest.mark.parametrize(
    ("there", "asked", "expected"),
    [
        ({}, {}, False),
        ({}, {"protocol": "UDP"}, True),
        ({}, {"address": "10.0.0.1"}, False),
        ({"address": "10.0.0.1"}, {}, False),
        ({"address": "10.0.0.2"}, {"address": "10.0.0.1"}, True),
        ({"address": "10.0.0.1"}, {"address": "10.0.0.1"}, False),
    ],
)
def test_host_ports_are_taken_once(there, asked, expected):
    nodes = [node("a"), node("b")]
    result = fits(nodes, ported(**asked), [ported("there", "a", **there)])
    assert result.by_plugin["NodePorts"].tolist() == [expected, True]
    assert result.tolist() == [expected, True]


def test_in_the_nodes_own_network_every_port_is_the_nodes():
    asked = pod(hostNetwork=True)
    asked["spec"]["containers"][0]["ports"] = [{"containerPort": 80}]
    assert fits([node("a")], asked, [ported("there", "a")]).tolist() == [False]
    # A port is free again with its pod, and a port that is not the node's never was taken.
    cluster, _ = cluster_from_dicts([node("a")], [ported("there", "a")])
    cluster.remove("there")
    assert Scheduler(cluster).filter(pod_from_dict(asked)).tolist() == [True]
    asked["spec"]["hostNetwork"] = False
    assert fits([node("a")], asked, [ported("there", "a")]).tolist() == [True]


def test_a_pod_that_names_its_node_goes_there_or_nowhere():
    nodes = [node("a"), node("b")]
    result = fits(nodes, pod(node_name="b"))
    assert (result.tolist(), result.reasons("a")) == (
        [False, True],
        ["NodeName: node(s) didn't match the requested node name"],
    )
    assert fits(nodes, pod(node_name="gone")).tolist() == [False, False]


def test_scheduling_gates_keep_a_pod_waiting_since_1_27():
    gated = pod(schedulingGates=[{"name": "example.com/quota"}])
    result = fits([node("a")], gated)
    assert result.reasons("a") == [
        "SchedulingGates: the pod waits for its scheduling gates (example.com/quota)"
    ]
    with pytest.warns(UnmodelledWarning, match=r"spec.schedulingGates: 1.26 has no"):
        assert fits([node("a")], gated, release="1.26").tolist() == [True]


def away_from(**keys):
    term = {"labelSelector": {"matchLabels": {"app": "a"}}, "topologyKey": ZONE, **keys}
    rule = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    given = pod(affinity={"podAntiAffinity": rule})
    given["metadata"]["labels"] = {"app": "a", "rev": "2"}
    return given


def test_label_keys_of_affinity_terms_are_the_pods_own_values():
    nodes = [node("a", labels={ZONE: "z1"}), node("b", labels={ZONE: "z2"})]
    there = [pod("one", node_name="a"), pod("two", node_name="b")]
    for number, one in enumerate(there, 1):
        one["metadata"]["labels"] = {"app": "a", "rev": str(number)}
    assert fits(nodes, away_from(), there).tolist() == [False, False]
    assert fits(nodes, away_from(matchLabelKeys=["rev"]), there).tolist() == [True, False]
    assert fits(nodes, away_from(mismatchLabelKeys=["rev"]), there).tolist() == [False, True]
    assert fits(nodes, away_from(matchLabelKeys=["none"]), there).tolist() == [False, False]
    # The same of the pods that are there already: each keeps away only its own revision.
    held = away_from(matchLabelKeys=["rev"])
    held["spec"]["nodeName"] = "a"
    other = pod()
    other["metadata"]["labels"] = {"app": "a", "rev": "1"}
    assert fits(nodes, other, [held]).tolist() == [True, True]
    other["metadata"]["labels"]["rev"] = "2"
    assert fits(nodes, other, [held]).tolist() == [False, True]
    with pytest.warns(UnmodelledWarning, match="matchLabelKeys"):
        fits(nodes, away_from(matchLabelKeys=["rev"]), there, release="1.30")


def claiming(name="data"):
    return pod(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": name}}])


def claim(bound="pv", **spec):
    return {"metadata": {"name": "data"}, "spec": {"volumeName": bound, **spec}}


def volume(values=(), labels=None):
    expression = {"key": "disk", "operator": "In", "values": list(values)}
    required = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    affinity = {"nodeAffinity": {"required": required}} if values else {}
    return {"metadata": {"name": "pv", "labels": labels or {}}, "spec": affinity}


DISKS = [
    node("a", labels={"disk": "ssd", ZONE: "z1"}),
    node("b", labels={"disk": "hdd", ZONE: "z2"}),
    node("c"),
]


@pytest.mark.filterwarnings("ignore::cnbench.scheduler.errors.UnmodelledWarning")
@pytest.mark.parametrize(
    ("there", "plugin", "expected"),
    [
        (volume(["ssd"]), "VolumeBinding", [True, False, False]),
        (volume(), "VolumeBinding", [True, True, True]),
        # A node without any zone may have every volume.
        (volume(labels={ZONE: "z1"}), "VolumeZone", [True, False, True]),
        (volume(labels={ZONE: "z1__z2"}), "VolumeZone", [True, True, True]),
        (
            volume(labels={"failure-domain.beta.kubernetes.io/zone": "z2"}),
            "VolumeZone",
            [False, True, True],
        ),
    ],
)
def test_bound_volumes_bind_their_pods_to_nodes(there, plugin, expected):
    result = fits(DISKS, claiming(), storage=storage_from_dicts([claim()], [there]))
    assert result.by_plugin[plugin].tolist() == expected
    assert result.tolist() == expected


@pytest.mark.filterwarnings("ignore::cnbench.scheduler.errors.UnmodelledWarning")
def test_claims_that_nothing_is_bound_to_yet():
    immediate = {"metadata": {"name": "fast"}, "volumeBindingMode": "Immediate"}
    unbound = claim("", storageClassName="fast")
    waiting = storage_from_dicts([unbound], [], [immediate])
    result = fits(DISKS, claiming(), storage=waiting)
    assert result.tolist() == [False] * 3
    assert "data: the claim is not bound yet" in result.reasons("a")[0]
    gone = fits(DISKS, claiming("other"), storage=waiting)
    assert "other: there is no such claim" in gone.reasons("a")[0]
    on_demand = {**immediate, "volumeBindingMode": "WaitForFirstConsumer"}
    for storage, problem in (
        (storage_from_dicts([unbound], [], [on_demand]), "is WaitForFirstConsumer"),
        (storage_from_dicts([unbound]), "its class 'fast' is not given"),
        (storage_from_dicts(None), "which nodes can use the claim data is not known"),
        (storage_from_dicts([claim()]), "the volume pv .* is not given"),
        (storage_from_dicts([claim(accessModes=["ReadWriteOncePod"])]), "ReadWriteOncePod"),
    ):
        with pytest.raises(SchedulerInputError, match=rf"volumes\[0\].*{problem}"):
            fits(DISKS, claiming(), storage=storage)


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"resourceClaims": [{"name": "gpu"}]}, "spec.resourceClaims"),
        ({"workloadRef": {"name": "w"}}, "spec.workloadRef"),
        ({"schedulingGroup": {"name": "w"}}, "spec.schedulingGroup"),
    ],
)
def test_what_is_not_modelled_is_refused_when_it_is_asked_about(spec, field):
    made = pod_from_dict(pod(**spec))
    scheduler = Scheduler(Cluster([Node("a")]), "1.35")
    for ask in (scheduler.filter, scheduler.score, scheduler.choose, scheduler.place):
        with pytest.raises(SchedulerInputError, match=f"pod default/p: {field}: .*not modelled"):
            ask(made)
    # Beside others it is no hindrance: pods that wait are asked about one by one.
    _, pending = cluster_from_dicts([node("a")], [pod(**spec), pod("q")])
    assert len(pending) == 2


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"runtimeClassName": "kata"}, "spec.runtimeClassName: the overhead"),
        ({"schedulerName": "mine"}, "spec.schedulerName: the pod is another scheduler's"),
        ({"volumes": [{"name": "d", "csi": {"driver": "d"}}]}, r"volumes\[0\].csi: how many"),
        ({"somethingOf2030": True}, "spec.somethingOf2030: is not known here"),
    ],
)
def test_what_is_heeded_in_part_is_warned_of(spec, message):
    with pytest.warns(UnmodelledWarning, match=message):
        assert fits([node("a")], pod(**spec)).tolist() == [True]


def test_a_usual_pod_is_not_warned_of():
    usual = pod(
        priority=1000,
        schedulerName="default-scheduler",
        volumes=[{"name": "c", "configMap": {"name": "c"}}, {"name": "e", "emptyDir": {}}],
        serviceAccountName="default",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fits([node("a")], usual).tolist() == [True]


def misspelt(path, name):
    given = pod(
        affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}},
        tolerations=[{"operator": "Exists"}],
        topologySpreadConstraints=[
            {"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule"}
        ],
    )
    there = given
    for part in path:
        there = there[part]
    there[name] = {}
    return given


@pytest.mark.parametrize(
    ("path", "name", "hint"),
    [
        ((), "specs", "did you mean spec"),
        (("metadata",), "label", "did you mean labels"),
        (("spec",), "nodeSelectors", "did you mean nodeSelector"),
        (("spec",), "toleration", "did you mean tolerations"),
        (("spec",), "node_selector", "is nodeSelector in snake_case"),
        (("spec",), "topology_spread_constraints", "topologySpreadConstraints in snake_case"),
        (("spec", "containers", 0), "resource", "did you mean resources"),
        (("spec", "containers", 0, "resources"), "request", "did you mean requests"),
        (("spec", "affinity"), "nodeAffinities", "did you mean nodeAffinity"),
        (("spec", "affinity"), "pod_affinity", "is podAffinity in snake_case"),
        (("spec", "affinity", "nodeAffinity"), "required", None),
        (("spec", "tolerations", 0), "keys", "did you mean key"),
        (("spec", "topologySpreadConstraints", 0), "matchLabelKey", "did you mean matchLabelKeys"),
    ],
)
def test_misspelt_fields_are_refused(path, name, hint):
    if hint is None:
        with pytest.warns(UnmodelledWarning, match="nodeAffinity.required: is not known"):
            pod_from_dict(misspelt(path, name))
        return
    with pytest.raises(SchedulerInputError, match=hint):
        pod_from_dict(misspelt(path, name))


def test_misspelt_fields_of_nodes_are_refused():
    for wrong, hint in (
        ({"spec": {"taint": []}}, "did you mean taints"),
        ({"status": {"allocatables": {}}}, "did you mean allocatable"),
        ({"spec": {"provider_id": ""}}, "snake_case|providerID"),
    ):
        with pytest.raises(SchedulerInputError, match=hint):
            node_from_dict({"metadata": {"name": "n"}, **wrong})


def nodes_wanted(terms):
    required = {"nodeSelectorTerms": [{"matchExpressions": [term]} for term in terms]}
    kind = "requiredDuringSchedulingIgnoredDuringExecution"
    return pod(affinity={"nodeAffinity": {kind: required}})


def expression(operator, *values):
    return {"key": "size", "operator": operator, "values": list(values)}


@pytest.mark.parametrize("value", ["-3", "+3", " 3", "1.5", "big", "9" * 30])
def test_values_that_no_label_could_have_match_nothing(value):
    nodes = [node("a", labels={"size": "7"}), node("b", labels={"size": "1"})]
    for operator in ("Gt", "Lt"):
        assert fits(nodes, nodes_wanted([expression(operator, value)])).tolist() == [False, False]
    # Terms are ORed: another one may match.
    either = nodes_wanted([expression("Gt", value), expression("Gt", "3")])
    assert fits(nodes, either).tolist() == [True, False]
    assert fits(nodes, nodes_wanted([expression("Gt", "003")])).tolist() == [True, False]


def test_not_in_with_such_a_value_matches_nothing_either():
    assert fits([node("a")], nodes_wanted([expression("NotIn", "-3")])).tolist() == [False]
    assert fits([node("a")], nodes_wanted([expression("NotIn", "3")])).tolist() == [True]


def test_a_preference_with_such_a_value_is_refused_as_kube_scheduler_fails():
    term = {"weight": 1, "preference": {"matchExpressions": [expression("Gt", "-3")]}}
    kind = "preferredDuringSchedulingIgnoredDuringExecution"
    with pytest.raises(SchedulerInputError, match=r"preferred\[0\].preference: has a value"):
        pod_from_dict(pod(affinity={"nodeAffinity": {kind: [term]}}))


def test_errors_are_cnbenchs_own():
    cluster = Cluster([Node("n")])
    for error, kind, wrong in (
        (SchedulerInputError, ValueError, lambda: Node("")),
        (UnknownNodeError, KeyError, lambda: cluster.node_number("x")),
        (NotPlacedError, KeyError, lambda: cluster.remove("x")),
    ):
        with pytest.raises(error) as raised:
            wrong()
        assert isinstance(raised.value, kind | UsageError)
        assert isinstance(raised.value, CnbenchError)


@pytest.mark.parametrize("resource", ["memory", "ephemeral-storage", "example.com/grains"])
def test_one_very_large_node_is_exact(resource):
    # 2**50 and 3: 64 TiB is 2**46. Of the large node 2**49 are used: 50 % to the unit.
    large, half = 2**50, 2**49
    nodes = [Node("large", {resource: large}), Node("small", {resource: 1000})]
    cluster = Cluster(nodes)
    weights = {resource: 1}
    scheduler = Scheduler(cluster, "1.30", scores=["LeastAllocated"], resource_weights=weights)
    cluster.add(Pod("there", requests={resource: half - 5}), "large")
    for asked, percent, room in ((5, 50, True), (6, 49, True), (half + 5, 0, True)):
        new = Pod("p", requests={resource: asked})
        assert scheduler.score(new).raw["LeastAllocated"].tolist()[0] == percent
        assert scheduler.filter(new).tolist()[0] is room
    assert scheduler.filter(Pod("p", requests={resource: half + 6})).tolist() == [False, False]
    # What has been beyond comes back exactly.
    cluster.remove("there")
    assert cluster.requested(resource).tolist() == [0, 0]
    assert scheduler.score(Pod("p", requests={resource: large})).raw["LeastAllocated"][0] == 0


def test_a_node_overcommitted_by_very_much_is_no_error():
    cluster = Cluster([Node("n", {"memory": 2**40, "cpu": 1000})])
    scheduler = Scheduler(cluster, scores=["MostAllocated", "LeastAllocated"])
    for number in range(3):
        cluster.add(Pod(f"p{number}", requests={"memory": 2**50}), "n")
    scores = scheduler.score(Pod("q", requests={"cpu": 100, "memory": 1}))
    assert {name: raw.tolist() for name, raw in scores.raw.items()} == {
        "MostAllocated": [(40 + 100) // 2],
        "LeastAllocated": [(60 + 0) // 2],
    }
    for number in range(3):
        cluster.remove(f"p{number}")
    assert scheduler.score(Pod("q", requests={"cpu": 100, "memory": 1})).raw[
        "LeastAllocated"
    ].tolist() == [(90 + 99) // 2]


def test_reading_leaves_the_objects_alone():
    given = [node("a"), ported("p", "a")]
    before = copy.deepcopy(given)
    cluster_from_dicts(given[:1], given[1:])
    assert given == before
