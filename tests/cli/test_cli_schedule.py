"""``cnbench schedule``: where a pod goes and why, and what would change that."""

import io
import json

import pytest

ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"


def node(name, zone, cpu="4", **fields):
    labels = {ZONE: zone, HOST: name}
    status = {
        "allocatable": {"cpu": cpu, "memory": "8Gi", "pods": "10"},
        "nodeInfo": {"kubeletVersion": "v1.33.4"},
    }
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": status,
        **fields,
    }


def pod(name, node_name=None, cpu="1", **spec):
    containers = [{"name": "c", "resources": {"requests": {"cpu": cpu, "memory": "1Gi"}}}]
    given = {"containers": containers, **spec}
    if node_name:
        given["nodeName"] = node_name
    return {"kind": "Pod", "metadata": {"name": name, "labels": {"app": "web"}}, "spec": given}


TAINT = {"taints": [{"key": "gpu", "effect": "NoSchedule"}]}
SERVICE = {"kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}}}
DAEMON = pod("agent", "a", cpu="100m")
DAEMON["metadata"]["ownerReferences"] = [{"kind": "DaemonSet", "name": "agent"}]
CLUSTER = [
    node("a", "z1"),
    node("b", "z2", cpu="16"),
    node("c", "z2", spec=TAINT),
    SERVICE,
    pod("web-1", "a"),
    pod("web-2", "a"),
    DAEMON,
    pod("waiting", cpu="32"),
]


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cluster.json").write_text(json.dumps({"kind": "List", "items": CLUSTER}))
    (tmp_path / "pod.json").write_text(json.dumps(pod("new")))
    (tmp_path / "pod.yaml").write_text(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n"
        "    metadata: {labels: {app: web}}\n    spec:\n      containers:\n"
        "      - {name: c, resources: {requests: {cpu: 1, memory: 1Gi}}}\n"
    )
    (tmp_path / "config.yaml").write_text(
        "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
        "profiles:\n- plugins:\n    score:\n      disabled: [{name: '*'}]\n"
        "      enabled: [{name: NodeResourcesFit, weight: 3}]\n"
        "  pluginConfig:\n  - name: NodeResourcesFit\n"
        "    args: {scoringStrategy: {type: MostAllocated}}\n"
    )
    return tmp_path


def answer(cnbench, *argv):
    done = cnbench("schedule", *argv, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_which_node_and_by_which_scores(cnbench, files):
    found = answer(cnbench, "--from", "cluster.json", "--pod", "pod.json")
    (one,) = found["pods"]
    assert (found["release"], one["node"], one["feasible"]) == ("1.33", "b", 2)
    # b: cpu 15 of 16 free and memory 7 of 8; nothing of the service is there or in its zone.
    assert one["scored"][0]["raw"]["LeastAllocated"] == (93 + 87) // 2
    assert one["scored"][0]["total"] == sum(one["scored"][0]["weighted"].values())
    assert one["rejected"] == {"c": ["TaintToleration: node(s) had untolerated taints"]}
    assert one["weights"]["TaintToleration"] == 3
    shown = cnbench("schedule", "--from", "cluster.json", "--pod", "pod.json").out
    assert "default/new goes to b, one of 2 feasible nodes of 3." in shown
    assert "PodTopologySpread ×2" in shown
    assert "as Kubernetes 1.33 schedules" in shown


def test_why_pods_are_pending(cnbench, files):
    (one,) = answer(cnbench, "--from", "cluster.json")["pods"]
    short = "NodeResourcesFit: Insufficient resources (cpu)"
    assert (one["pod"], one["node"]) == ("default/waiting", None)
    assert one["reasons"] == {short: 3, "TaintToleration: node(s) had untolerated taints": 1}
    assert one["rejected"]["a"] == [short]
    shown = cnbench("schedule", "--from", "cluster.json").out
    assert "default/waiting is pending: none of 3 nodes will do." in shown
    assert short in shown


def test_what_another_release_or_weight_changes(cnbench, files):
    argv = ("--from", "cluster.json", "--pod", "pod.json")
    others = ("--other-release", "1.20", "--other-weight", "PodTopologySpread=0")
    (one,) = answer(cnbench, *argv, *others)["pods"]
    assert [other["with"] for other in one["others"]] == [
        "release 1.20",
        "weight PodTopologySpread=0",
    ]
    assert one["others"][0]["answer"]["weights"]["TaintToleration"] == 1
    assert one["others"][1]["answer"]["weights"]["PodTopologySpread"] == 0
    for other in one["others"]:
        assert other["changes"] == (other["node"] != one["node"])
    assert "With release 1.20" in cnbench("schedule", *argv, *others).out


def test_a_configuration_is_heeded(cnbench, files):
    argv = ("--from", "cluster.json", "--pod", "pod.yaml", "--config", "config.yaml")
    (one,) = answer(cnbench, *argv)["pods"]
    assert one["weights"] == {"MostAllocated": 3}
    # a: 3.1 of 4 cpus and 4 of 8 GiB would be used.
    assert (one["node"], one["scored"][0]["total"]) == ("a", 3 * ((77 + 50) // 2))
    (heavier,) = answer(cnbench, *argv, "--weight", "MostAllocated=5")["pods"]
    assert heavier["scored"][0]["total"] == 5 * ((77 + 50) // 2)


def test_draining_a_node_and_adding_some(cnbench, files):
    found = answer(cnbench, "--from", "cluster.json", "--drain", "a")
    # The DaemonSet's pod goes with its node; the others find b.
    assert found["what_if"]["changed"]["placed"] == {"default/web-1": "b", "default/web-2": "b"}
    assert found["what_if"]["changed"]["pending"] == ["default/waiting"]
    added = answer(cnbench, "--from", "cluster.json", "--drain", "a", "--add-nodes", "2=b")
    assert added["what_if"]["changed"]["nodes"] == 4
    assert set(added["what_if"]["changed"]["placed"].values()) <= {"b", "b-added-1", "b-added-2"}
    shown = cnbench("schedule", "--from", "cluster.json", "--drain", "a").out
    assert "of 3 pods that waited 2 found a node and 1 did not" in shown


def test_a_trace_is_placed_and_changed(cnbench, files):
    (files / "openb_node_list_all_node.csv").write_text(
        "sn,cpu_milli,memory_mib,gpu,model\nn0,4000,8192,0,\nn1,4000,8192,0,\n"
    )
    (files / "openb_pod_list_default.csv").write_text(
        "name,cpu_milli,memory_mib,num_gpu,gpu_milli\n"
        + "".join(f"p{number},1500,1024,0,0\n" for number in range(5))
    )
    found = answer(cnbench, "--trace", ".", "--place", "--drain", "n0", "--add-nodes", "1=n1")
    placed, changed = found["what_if"]["placed"], found["what_if"]["changed"]
    assert (len(placed["placed"]), placed["pending"]) == (4, ["default/p4"])
    assert set(changed["placed"].values()) == {"n1-added-1"}
    assert (len(changed["placed"]), len(changed["pending"])) == (2, 1)


def test_a_cluster_from_stdin(cnbench, files, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO((files / "cluster.json").read_text()))
    assert answer(cnbench, "--from", "-", "--pod", "pod.json")["pods"][0]["node"] == "b"


def test_what_is_not_heeded_is_told(cnbench, files):
    (files / "pod.json").write_text(json.dumps(pod("new", schedulerName="mine")))
    found = answer(cnbench, "--from", "cluster.json", "--pod", "pod.json")
    assert found["warnings"] == [
        "pod default/new: spec.schedulerName: the pod is another scheduler's; the answer is this"
        " one's"
    ]
    done = cnbench("schedule", "--from", "cluster.json", "--pod", "pod.json")
    assert "cnbench: not heeded: pod default/new: spec.schedulerName" in done.err


BAD = {
    "neither": ([], "give either a cluster or a trace"),
    "both": (["--from", "cluster.json", "--trace", "."], "give either a cluster or a trace"),
    "no file": (["--from", "missing.json"], "missing.json: file: cannot be read"),
    "no text": (["--from", "broken"], "neither JSON nor YAML"),
    "an empty file": (["--from", "empty"], "holds no object"),
    "no nodes": (["--from", "pod.json"], "there must be at least one node"),
    "a list of pods": (["--from", "cluster.json", "--pod", "cluster.json"], "there are 8; give a"),
    "no pod": (["--from", "cluster.json", "--pod", "config.yaml"], "is neither a Pod nor one of"),
    "a node unknown": (["--from", "cluster.json", "--drain", "x"], "there is no node 'x'"),
    "a weight": (["--from", "cluster.json", "--weight", "ImageLocality"], "write ImageLocality=10"),
    "a score": (["--from", "cluster.json", "--weight", "ImageLoc=1"], "unknown plugin 'ImageLoc'"),
    "no number": (["--from", "cluster.json", "--add-nodes", "x=a"], "'x' in 'x=a' is no whole"),
    "a release": (["--from", "cluster.json", "--release", "1.99"], "'1.99' is not known here"),
    "a profile": (["--from", "cluster.json", "--profile", "x"], "no profile x without --config"),
    "refused": (["--from", "cluster.json", "--pod", "claims.json"], "spec.resourceClaims"),
    "misspelt": (["--from", "cluster.json", "--pod", "misspelt.json"], "did you mean nodeSelector"),
    "no trace": (["--trace", "."], "give the folder that holds the openb files"),
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_input_is_one_sentence_and_exit_code_2(cnbench, files, bad):
    (files / "broken").write_text("a: [")
    (files / "empty").write_text("")
    claims = pod("new", resourceClaims=[{"name": "gpu"}])
    (files / "claims.json").write_text(json.dumps(claims))
    (files / "misspelt.json").write_text(json.dumps(pod("new", nodeSelectors={})))
    argv, words = BAD[bad]
    cnbench("schedule", *argv).failed_in_one_sentence(2, words)
