"""Clusters from kubectl, the openb trace and a seed; quantities; a kube-scheduler's metrics."""

import http.server
import math
import threading
from fractions import Fraction
from pathlib import Path

import pytest

from cnbench.scheduler import (
    Cluster,
    Node,
    Pod,
    Scheduler,
    SchedulerInputError,
    cluster_from_dicts,
    node_from_dict,
    pod_from_dict,
    spread_selector_for,
)
from cnbench.scheduler.inputs.kube_scheduler_metrics import (
    ATTEMPT,
    MetricsError,
    parse_metrics,
    read_metrics,
)
from cnbench.scheduler.inputs.openb import GPU, load_trace, packing, schedule_all
from cnbench.scheduler.inputs.synthetic import Mix, demanding_pod, synthetic_cluster
from cnbench.scheduler.model.quantities import amount, parse_quantity

MIB = 1024 * 1024
TRACE = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.parametrize(
    ("resource", "text", "expected"),
    [
        ("cpu", "100m", 100),
        ("cpu", "2", 2000),
        ("cpu", "0.5", 500),
        ("cpu", "1.0005", 1001),  # rounds up
        ("memory", "128Mi", 128 * MIB),
        ("memory", "1.5Gi", 1536 * MIB),
        ("memory", "1e3", 1000),
        ("memory", "12E2", 1200),
        ("memory", "1E", 10**18),
        ("memory", "129M", 129_000_000),
        ("memory", "100m", 1),
        ("pods", "110", 110),
    ],
)
def test_quantities(resource, text, expected):
    assert amount(resource, text) == expected


@pytest.mark.parametrize("text", ["", "m", "1 Gi", "1KB", "one", "1ee3", "--1", None, True])
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(ValueError, match=r"not a quantity|unknown suffix"):
        parse_quantity(text)


def test_small_quantities_are_exact():
    assert parse_quantity("1n") == Fraction(1, 10**9)


NODE = {
    "metadata": {"name": "n1", "labels": {"zone": "a"}},
    "spec": {"unschedulable": True, "taints": [{"key": "t", "effect": "NoExecute"}]},
    "status": {
        "allocatable": {"cpu": "3920m", "memory": "8Gi", "pods": "58"},
        "images": [{"names": ["nginx:1", "nginx@sha256:0"], "sizeBytes": 1000}],
    },
}
POD = {
    "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
    "spec": {
        "initContainers": [
            {"image": "init", "resources": {"requests": {"cpu": "2"}}},
            {"image": "side", "restartPolicy": "Always", "resources": {"requests": {"cpu": "50m"}}},
        ],
        "containers": [
            {"image": "nginx:1", "resources": {"requests": {"cpu": 1, "memory": "100Mi"}}},
            {"image": "log", "resources": {}},
        ],
        "overhead": {"cpu": "10m"},
        "nodeSelector": {"zone": "a"},
        "tolerations": [{"operator": "Exists"}],
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": "zone", "operator": "Exists"}]}
                    ]
                },
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 5,
                        "preference": {
                            "matchFields": [
                                {"key": "metadata.name", "operator": "In", "values": ["n1"]}
                            ]
                        },
                    }
                ],
            },
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "topologyKey": "zone",
                        "labelSelector": {"matchLabels": {"app": "db"}},
                        "namespaceSelector": {},
                    }
                ]
            },
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 2,
                "topologyKey": "zone",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"app": "web"}},
                "minDomains": 2,
            }
        ],
    },
}


def changed(given, path, value):
    """A deep copy with one field replaced."""
    if not path:
        return value
    head, *rest = path
    if isinstance(given, list):
        return [changed(one, rest, value) if i == head else one for i, one in enumerate(given)]
    return {**given, head: changed(given.get(head, {}), rest, value)}


def test_nodes_from_kubernetes_objects():
    node = node_from_dict(NODE)
    assert node.capacity == {"cpu": 3920, "memory": 8192 * MIB, "pods": 58}
    assert [(t.key, t.effect) for t in node.taints] == [
        ("t", "NoExecute"),
        ("node.kubernetes.io/unschedulable", "NoSchedule"),
    ]
    assert node.images == {"nginx:1": 1000, "nginx@sha256:0": 1000}


def test_pods_from_kubernetes_objects():
    # The first init container alone needs 2000m; afterwards 1000 + 50 (sidecar) = 1050m. So 2000m,
    # plus 10m overhead. Scored: log counts 100m, init and side name no memory: 200 MiB each, so
    # memory is max(200, 200 + 100 + 200) = 500 MiB, cpu max(2000, 1150) + 10.
    pod = pod_from_dict(POD)
    assert pod.key == "shop/web"
    assert pod.requests == {"cpu": 2010, "memory": 100 * MIB}
    assert dict(pod.spec.scored_requests) == {"cpu": 2010, "memory": 500 * MIB}
    assert pod.spec.images == ("nginx:1", "log:latest")
    assert pod.spec.init_images == ("init:latest", "side:latest")
    result = Scheduler(Cluster([node_from_dict(NODE), Node("n2")])).filter(pod)
    assert result.tolist() == [True, False]
    assert Scheduler(Cluster([node_from_dict(NODE)])).score(pod).raw["NodeAffinity"].tolist() == [5]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            ["spec", "containers", 0, "resources", "requests", "cpu"],
            "1x",
            r"pod shop/web: spec.containers\[0\].resources.requests.cpu: '1x'",
        ),
        (["spec", "containers"], {"a": 1}, "spec.containers: must be a list"),
        (["spec", "tolerations", 0, "operator"], "Maybe", r"spec.tolerations\[0\].operator"),
        (["spec", "topologySpreadConstraints", 0, "maxSkew"], "2", "maxSkew: must be an integer"),
        (["metadata", "labels", "app"], 3, "metadata.labels.app: must be a string"),
        (
            ["spec", "affinity", "podAntiAffinity"],
            {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 0}]},
            r"podAntiAffinity.preferred\[0\].weight: 0 must be from 1 to 100",
        ),
    ],
)
def test_malformed_objects_name_the_field(path, value, message):
    with pytest.raises(SchedulerInputError, match=message):
        pod_from_dict(changed(POD, path, value))


def containers(*resources, **spec):
    return {"spec": {"containers": [{"resources": one} for one in resources], **spec}}


@pytest.mark.parametrize(
    ("given", "requests", "scored"),
    [
        # Each container that does not name a resource counts with 100m and 200 MiB.
        (containers({}), {}, {"cpu": 100, "memory": 200 * MIB}),
        (containers({}, {}), {}, {"cpu": 200, "memory": 400 * MIB}),
        (
            containers({"requests": {"cpu": "1"}}, {"requests": {"memory": "10Mi"}}),
            {"cpu": 1000, "memory": 10 * MIB},
            {"cpu": 1100, "memory": 210 * MIB},
        ),
        # An explicit 0 is not a missing request.
        (containers({"requests": {"cpu": "0"}}), {"cpu": 0}, {"cpu": 0, "memory": 200 * MIB}),
        # No container, nothing to assume; overhead counts alone.
        (containers(), {}, {"cpu": 0, "memory": 0}),
        (containers(overhead={"cpu": "5m"}), {"cpu": 5}, {"cpu": 5, "memory": 0}),
        # A limit without a request is one.
        (
            containers({"limits": {"cpu": "2", "memory": "1Mi"}, "requests": {"cpu": "1"}}),
            {"cpu": 1000, "memory": MIB},
            {"cpu": 1000, "memory": MIB},
        ),
        # An init container that wants more, beside a sidecar that stays: 300 + 50, then 100 + 50.
        (
            containers(
                {"requests": {"cpu": "100m", "memory": "0"}},
                initContainers=[
                    {
                        "restartPolicy": "Always",
                        "resources": {"requests": {"cpu": "50m", "memory": "0"}},
                    },
                    {"resources": {"requests": {"cpu": "300m", "memory": "0"}}},
                ],
            ),
            {"cpu": 350, "memory": 0},
            {"cpu": 350, "memory": 0},
        ),
    ],
)
def test_requests_of_containers_add_up(given, requests, scored):
    pod = pod_from_dict(given)
    assert pod.requests == requests
    assert dict(pod.spec.scored_requests) == scored


def test_a_node_without_allocatable_has_its_capacity():
    node = {"metadata": {"name": "n"}, "status": {"capacity": {"cpu": "2", "pods": "3"}}}
    assert node_from_dict(node).capacity == {"cpu": 2000, "pods": 3}


def controlled_by(kind, name):
    owner = {"kind": kind, "name": name, "controller": True}
    return changed(POD, ["metadata", "ownerReferences"], [owner])


def test_what_a_pods_controller_selects_is_spread():
    meta = {"name": "web", "namespace": "shop"}
    expressions = [{"key": "rev", "operator": "Exists"}]
    replicas = {
        "kind": "ReplicaSet",
        "metadata": meta,
        "spec": {"selector": {"matchLabels": {"tier": "1"}, "matchExpressions": expressions}},
    }
    plain = {"kind": "ReplicationController", "metadata": meta, "spec": {"selector": {"a": "b"}}}
    service = {"metadata": meta, "spec": {"selector": {"app": "web"}}}
    pod = controlled_by("ReplicaSet", "web")
    selector = spread_selector_for(pod, [service], [plain, replicas])
    assert dict(selector.match_labels) == {"app": "web", "tier": "1"}
    assert [one.key for one in selector.match_expressions] == ["rev"]
    pod = controlled_by("ReplicationController", "web")
    assert dict(spread_selector_for(pod, [], [replicas, plain]).match_labels) == {"a": "b"}
    assert spread_selector_for(controlled_by("Job", "web"), [], [replicas, plain]) is None
    assert spread_selector_for(POD, [], [replicas]) is None


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        (([NODE, {"kind": "Node"}],), r"^nodes\[1\], node: metadata.name: must not be empty"),
        (([NODE, NODE["status"]],), r"^nodes\[1\], object: metadata.name"),
        (([NODE], [{"spec": {"nodeName": "n1"}}]), r"^pods\[0\], pod default/: metadata.name"),
        (([NODE], [POD, "x"]), r"^pods: \[1\]: must be a map, not 'x'"),
        (({"items": 3},), "items: must be a list, not 3"),
        (
            ([NODE], [POD, changed(POD, ["spec", "tolerations", 0, "operator"], "Like")]),
            r"^pods\[1\], pod shop/web: spec.tolerations\[0\].operator: unknown value 'Like'",
        ),
    ],
)
def test_an_error_in_a_list_says_where(lists, message):
    with pytest.raises(SchedulerInputError, match=message):
        cluster_from_dicts(*lists)


def test_a_cluster_from_kubectl_lists():
    running = changed(POD, ["spec", "nodeName"], "n1")
    pending = changed(POD, ["metadata", "name"], "web-2")
    done = changed(changed(running, ["metadata", "name"], "old"), ["status", "phase"], "Succeeded")
    service = {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"app": "web"}},
    }
    cluster, waiting = cluster_from_dicts(
        {"items": [NODE]}, {"items": [running, pending, done]}, [service]
    )
    assert cluster.pod_count == 1
    assert cluster.node_of("shop/web") == "n1"
    assert [pod.name for pod in waiting] == ["web-2"]
    assert waiting[0].spread_selector.matches({"app": "web"})
    with pytest.raises(SchedulerInputError, match=r"spec.nodeName: there is no node 'n9'"):
        cluster_from_dicts([NODE], [changed(POD, ["spec", "nodeName"], "n9")])


NODES_CSV = "sn,cpu_milli,memory_mib,gpu,model\nn0,8000,32768,2,T4\nn1,8000,32768,0,\n"
PODS_CSV = (
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos\n"
    "p0,1000,1024,1,460,,LS\np1,1000,1024,2,1000,T4|P100,BE\np2,6000,0,0,0,,LS\n"
)


def write(folder, nodes=NODES_CSV, pods=PODS_CSV):
    (folder / "openb_node_list_all_node.csv").write_text(nodes)
    (folder / "openb_pod_list_default.csv").write_text(pods)
    return folder


def test_the_trace_becomes_nodes_and_pods(tmp_path):
    trace = load_trace(write(tmp_path))
    assert trace.nodes[0].capacity[GPU] == 2000
    assert [pod.requests.get(GPU) for pod in trace.pods] == [460, 2000, 0]
    scheduler = Scheduler(Cluster(trace.nodes))
    # p0 takes 460 of n0's GPU thousandths, so p1, which asks for all 2000, finds no node.
    unplaced = schedule_all(scheduler, trace.pods)
    result = packing(scheduler.cluster, unplaced)
    assert (result.placed, result.unplaced) == (2, ("default/p1",))
    assert result.allocated[GPU] == 0.23
    assert scheduler.cluster.node_of("p0") == "n0"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"pods": "name,cpu_milli\n"}, "pod_list_default.csv row 1: column memory_mib, num_gpu"),
        ({"nodes": NODES_CSV.replace("8000", "many", 1)}, r"row 2: cpu_milli: 'many' is not"),
        ({"pods": PODS_CSV.replace("460", "-1")}, r"row 2: gpu_milli: -1 is negative"),
        ({"pods": PODS_CSV.replace("p2,", ",")}, r"row 4: name: must not be empty"),
        ({"pods": PODS_CSV.replace("p2,6000", "p2")}, r"row 4: .*is not a whole number"),
        ({"pods": PODS_CSV.replace("p2,", "p0,")}, r"row 4: name: is that of row 2"),
        ({"pods": PODS_CSV.replace("LS\n", "LS,more\n", 1)}, r"row 2: row: has more fields"),
        ({"pods": PODS_CSV.replace("6000", str(2**54))}, r"row 4: requests.cpu: .*2\*\*52"),
        ({"nodes": ""}, r"row 1: column sn, .* missing; the header has nothing"),
    ],
)
def test_a_malformed_trace_names_row_and_column(tmp_path, files, message):
    with pytest.raises(SchedulerInputError, match=message):
        load_trace(write(tmp_path, **files))


FIVE_COLUMNS = "name,cpu_milli,memory_mib,num_gpu,gpu_milli\np0,1000,1024,2,1000\n"
UNSORTED = (
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,creation_time\n"
    "p0,1000,0,0,0,,LS,30\np1,1000,0,0,0,,LS,4\np2,1000,0,0,0,,LS,30\n"
)
# The same name, another machine.
GPU_NODES = "sn,cpu_milli,memory_mib,gpu,model\nn0,96000,786432,8,V100\n"


def test_variants_of_the_trace_are_read(tmp_path):
    write(tmp_path)
    (tmp_path / "openb_pod_list_multigpu20.csv").write_text(FIVE_COLUMNS)
    (tmp_path / "openb_node_list_gpu_node.csv").write_text(GPU_NODES)
    (tmp_path / "openb_pod_list_gpuspec33.csv").write_text(PODS_CSV)
    trace = load_trace(tmp_path, nodes="gpu_node", pods="multigpu20")
    assert (trace.nodes[0].capacity[GPU], trace.pods[0].requests[GPU]) == (8000, 2000)
    assert trace.files == ("openb_node_list_gpu_node.csv", "openb_pod_list_multigpu20.csv")
    assert load_trace(tmp_path).nodes[0].capacity[GPU] == 2000
    models = load_trace(tmp_path, pods="gpuspec33").pods[1].node_affinity.required
    assert models[0].match_expressions[0].values == ("T4", "P100")


def test_pods_of_a_trace_come_in_the_order_of_their_time(tmp_path):
    trace = load_trace(write(tmp_path, pods=UNSORTED))
    assert [pod.name for pod in trace.pods] == ["p1", "p0", "p2"]
    with pytest.raises(SchedulerInputError, match="row 3: creation_time: 'soon' is not"):
        load_trace(write(tmp_path, pods=UNSORTED.replace(",4\n", ",soon\n")))


def test_a_variant_without_what_it_is_named_for_is_refused(tmp_path):
    write(tmp_path)
    (tmp_path / "openb_pod_list_gpuspec10.csv").write_text(PODS_CSV.replace("T4|P100", ""))
    with pytest.raises(SchedulerInputError, match=r"gpuspec10\.csv: column gpu_spec: no pod wants"):
        load_trace(tmp_path, pods="gpuspec10")
    with pytest.raises(SchedulerInputError, match=r"multigpu50.*there are .*gpuspec10\.csv"):
        load_trace(tmp_path, pods="multigpu50")


def test_a_trace_that_is_no_text_says_so(tmp_path):
    (write(tmp_path) / "openb_pod_list_default.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(SchedulerInputError, match=r"default\.csv: is not text"):
        load_trace(tmp_path)


def test_a_missing_trace_says_what_to_give(tmp_path):
    with pytest.raises(SchedulerInputError, match="give the folder"):
        load_trace(tmp_path)


@pytest.mark.skipif(not TRACE.is_dir(), reason=f"no openb trace in {TRACE.name}")
def test_the_production_trace_is_scheduled():
    trace = load_trace(TRACE)
    assert (len(trace.nodes), len(trace.pods)) == (1523, 8152)
    scheduler = Scheduler(Cluster(trace.nodes))
    unplaced = schedule_all(scheduler, trace.pods)
    result = packing(scheduler.cluster, unplaced)
    assert result.placed + len(unplaced) == 8152
    assert 0.9 < result.allocated[GPU] <= 1
    for resource in scheduler.cluster.resources.rows:
        used, there = scheduler.cluster.requested(resource), scheduler.cluster.capacity(resource)
        assert (used <= there).all()


def test_a_seed_always_makes_the_same_cluster():
    def answers(seed):
        made = synthetic_cluster(Mix(nodes=30, pods=200, seed=seed))
        return Scheduler(made.cluster).score(demanding_pod(made.templates)).total.tolist()

    assert answers(1) == answers(1) != answers(2)
    made = synthetic_cluster(Mix(nodes=30, pods=200))
    assert (len(made.cluster), made.cluster.pod_count, len(made.templates)) == (30, 200, 4)
    with pytest.raises(SchedulerInputError, match="nodes: 0 must be an integer"):
        Mix(nodes=0)


def test_removing_every_pod_leaves_a_cluster_as_new():
    made = synthetic_cluster(Mix(nodes=40, pods=300))
    fresh = synthetic_cluster(Mix(nodes=40, pods=0))
    pod = demanding_pod(made.templates)
    Scheduler(made.cluster).score(pod)
    for number in range(300):
        made.cluster.remove(f"default/pod-{number}")
    assert made.cluster.pod_count == 0
    expected, found = Scheduler(fresh.cluster).score(pod), Scheduler(made.cluster).score(pod)
    assert found.total.tolist() == expected.total.tolist()
    assert made.cluster.requested("cpu").tolist() == [0] * 40


METRICS = """\
# HELP scheduler_plugin_execution_duration_seconds [ALPHA] Duration for running a plugin.
# TYPE scheduler_plugin_execution_duration_seconds histogram
scheduler_plugin_execution_duration_seconds_bucket{extension_point="Score",plugin="NodeAffinity",status="Success",le="1e-05"} 0
scheduler_plugin_execution_duration_seconds_bucket{extension_point="Score",plugin="NodeAffinity",status="Success",le="2e-05"} 40
scheduler_plugin_execution_duration_seconds_bucket{extension_point="Score",plugin="NodeAffinity",status="Success",le="+Inf"} 50
scheduler_plugin_execution_duration_seconds_sum{extension_point="Score",plugin="NodeAffinity",status="Success"} 0.001
scheduler_plugin_execution_duration_seconds_count{extension_point="Score",plugin="NodeAffinity",status="Success"} 50
scheduler_framework_extension_point_duration_seconds_bucket{extension_point="Filter",profile="a\\"b",status="Success",le="+Inf"} 0
scheduler_framework_extension_point_duration_seconds_sum{extension_point="Filter",profile="a\\"b",status="Success"} 0
scheduler_framework_extension_point_duration_seconds_count{extension_point="Filter",profile="a\\"b",status="Success"} 0
scheduler_scheduling_attempt_duration_seconds_bucket{profile="default-scheduler",result="scheduled",le="0.001"} 8
scheduler_scheduling_attempt_duration_seconds_bucket{profile="default-scheduler",result="scheduled",le="+Inf"} 8
scheduler_scheduling_attempt_duration_seconds_sum{profile="default-scheduler",result="scheduled"} 0.004
scheduler_scheduling_attempt_duration_seconds_count{profile="default-scheduler",result="scheduled"} 8
scheduler_queue_incoming_pods_total{event="PodAdd",queue="active"} 8
go_goroutines 100
"""  # noqa: E501


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status = 200 if self.path.startswith("/metrics") else 403
        body = b"go_goroutines 1\n" if self.path == "/metrics/other" else METRICS.encode()
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def page():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_kube_schedulers_metrics(page):
    plugin, empty, attempt = read_metrics(f"{page}/metrics")
    assert (plugin.plugin, plugin.extension_point, plugin.count) == ("NodeAffinity", "Score", 50)
    assert math.isclose(plugin.mean, 0.001 / 50)
    # The 25th of 50 is 25/40 into the bucket from 10 to 20 µs; the 49.5th beyond the last bound.
    assert math.isclose(plugin.p50, 10e-6 + 10e-6 * 25 / 40)
    assert math.isclose(plugin.p99, 20e-6)
    assert empty.labels["profile"] == 'a"b'
    assert math.isnan(empty.mean)
    assert math.isnan(empty.p50)
    assert (attempt.metric, attempt.mean) == (ATTEMPT, 0.0005)


def test_metrics_that_cannot_be_had_say_why(page):
    with pytest.raises(MetricsError, match="403 Forbidden; give a token"):
        read_metrics(f"{page}/secret")
    with pytest.raises(MetricsError, match="is it a kube-scheduler's"):
        read_metrics(f"{page}/metrics/other")
    with pytest.raises(MetricsError, match="must begin with http"):
        read_metrics("file:///etc/passwd")
    with pytest.raises(MetricsError, match="is a kube-scheduler listening"):
        read_metrics("http://127.0.0.1:1/metrics")
    with pytest.raises(MetricsError, match="line 2: 'x' is not a number"):
        parse_metrics("\nscheduler_scheduling_attempt_duration_seconds_count x\n")


def test_replicas_share_their_spec():
    pod = Pod("a", requests={"cpu": 100})
    assert pod.named("b").spec is pod.spec
    assert pod.named("b").key == "default/b"
