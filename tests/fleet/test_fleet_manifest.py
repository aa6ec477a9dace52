"""The manifest: what Kubernetes is told, and that its API server takes it."""

import os
import sys

import pytest
import yaml

from cnbench.cli.fleet.kubernetes import Wanted, objects
from cnbench.cli.main import main
from cnbench.containers.enclave import open_enclave
from cnbench.control_plane.binaries import binaries_of
from cnbench.control_plane.given import cluster as given
from cnbench.control_plane.servers.etcd import MEMORY
from cnbench.control_plane.servers.plane import require_plane, start_plane
from cnbench.core.errors import UnsupportedError
from cnbench.lab.host import open_lab
from cnbench.lab.waiting import wait_until

SERVER = "kubernetes-1.20"
WANTED = Wanted(("cpu-quota", "-p", "quota=20%"), "registry.example/cnbench:1", 3)
PATHS = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
}


def printed(capsys, monkeypatch, *argv):
    monkeypatch.setattr(sys, "argv", ["cnbench", "fleet", "manifest", *argv])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr()
    return ended.value.code, told.out, told.err


def job_of(text):
    (job,) = (found for found in yaml.safe_load_all(text) if found["kind"] == "Job")
    return job


def test_a_pod_a_node_runs_what_was_asked_and_says_which_node_it_is(capsys, monkeypatch):
    code, out, err = printed(
        capsys, monkeypatch, "--image", "registry.example/cnbench:1", "--nodes", "20",
        "--node-label", "pool=workers", "--", "cpu-quota", "-p", "quota=20%", "--lab", "host",
    )  # fmt: skip
    assert code == 0, err
    job = job_of(out)
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert job["spec"]["completionMode"] == "Indexed"
    assert job["spec"]["completions"] == job["spec"]["parallelism"] == 20
    assert container["command"] == ["cnbench", "run"]
    assert container["args"] == [
        *("cpu-quota", "-p", "quota=20%", "--lab", "host"),
        *("-o", "/results/cnbench/$(CNBENCH_NODE).jsonl"),
    ]
    assert container["env"][0]["valueFrom"]["fieldRef"]["fieldPath"] == "spec.nodeName"
    assert pod["nodeSelector"] == {"pool": "workers"}


def test_a_preset_is_written_out_since_no_pod_has_its_file(capsys, monkeypatch, tmp_path):
    (tmp_path / "cnbench.toml").write_text(
        '[presets.short]\nexperiments = "cpu-quota"\nquick = true\nparameters = { quota = "20%" }'
    )
    monkeypatch.chdir(tmp_path)
    code, out, err = printed(
        capsys, monkeypatch, "--image", "i", "--nodes", "1", "--", "@short", "--lab", "host"
    )
    assert code == 0, err
    (container,) = job_of(out)["spec"]["template"]["spec"]["containers"]
    asked = ["cpu-quota", "--quick", "-p", "quota=20%", "--lab", "host"]
    assert container["args"][:-2] == asked


def test_why_a_pod_has_failed_is_in_the_api():
    (container,) = list(objects(WANTED))[-1]["spec"]["template"]["spec"]["containers"]
    assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_two_pods_are_never_on_one_node():
    job = list(objects(WANTED))[-1]
    labels = job["spec"]["template"]["metadata"]["labels"]
    affinity = job["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"]
    (alone,) = affinity["requiredDuringSchedulingIgnoredDuringExecution"]
    assert alone["topologyKey"] == "kubernetes.io/hostname"
    assert alone["labelSelector"]["matchLabels"] == labels


def test_who_measures_has_no_way_to_the_api_server():
    found = list(objects(WANTED))
    accounts = {o["metadata"]["name"]: o for o in found if o["kind"] == "ServiceAccount"}
    (binding,) = (o for o in found if o["kind"] == "RoleBinding")
    pod = found[-1]["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "cnbench"
    assert accounts["cnbench"]["automountServiceAccountToken"] is False
    assert pod["automountServiceAccountToken"] is False
    assert [subject["name"] for subject in binding["subjects"]] == ["cnbench-runner"]
    (role,) = (o for o in found if o["kind"] == "Role")
    assert all("*" not in rule["verbs"] + rule["resources"] for rule in role["rules"])


def test_a_volume_that_is_named_is_not_made():
    found = list(objects(Wanted((), "i", 1, claim="mine")))
    assert "PersistentVolumeClaim" not in {o["kind"] for o in found}
    volume = found[-1]["spec"]["template"]["spec"]["volumes"][0]
    assert volume["persistentVolumeClaim"]["claimName"] == "mine"


def test_kubernetes_replaces_nothing_in_what_was_asked():
    found = list(objects(Wanted(("-p", "x=$(HOME)"), "i", 1)))
    assert "x=$$(HOME)" in found[-1]["spec"]["template"]["spec"]["containers"][0]["args"]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--", "cpu-quota", "-p", "quto=1"], "did you mean quota?"),
        (["--", "cpu-quota", "--bla"], "No such option"),
        (["--", "cpu-quota", "-o", "x.jsonl"], "no pod has"),
        (["--", "cpu-quota", "@nightly"], "stands for nothing"),
        (["--node-label", "pool"], "is no label"),
        (["--name", "Not_one"], "letters a-z"),
    ],
)
def test_what_a_pod_would_refuse_is_refused_here(argv, said, capsys, monkeypatch):
    code, out, err = printed(capsys, monkeypatch, "--image", "i", "--nodes", "1", *argv)
    assert (code, out) == (2, "")
    assert said in err


def test_no_pod_has_the_users_kubeconfig(capsys, monkeypatch, tmp_path):
    named = {"name": "a", "context": {"cluster": "a", "user": "a"}}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({
        "current-context": "a", "contexts": [named], "users": [{"name": "a", "user": {}}],
        "clusters": [{"name": "a", "cluster": {"server": "https://192.0.2.1"}}],
    }))  # fmt: skip
    bounds = ("--objects-at-most", "9", "--requests-at-most", "9")
    try:
        code, out, err = printed(
            capsys, monkeypatch, "--image", "i", "--nodes", "1", "--", "list-watch", *bounds,
            "--kubeconfig", str(path),
        )  # fmt: skip
    finally:
        given.forget()
    assert (code, out) == (2, "")
    assert "--kubeconfig names a file that no pod has" in err


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("an enclave needs root")
    with open_lab("host", "wall", tmp_path_factory.mktemp("journals")) as lab:
        try:
            require_plane(lab)
            binaries = binaries_of(SERVER)
        except UnsupportedError as error:
            pytest.skip(f"{error}; {error.remedy}")
        with (
            lab.fresh_fixtures(),
            open_enclave(lab, grouped=False) as enclave,
            start_plane(enclave, binaries, MEMORY, accounts=True).api.client() as client,
        ):
            yield client


@pytest.mark.real
def test_an_api_server_takes_every_object(api):
    namespace, *others = objects(Wanted(WANTED.arguments, WANTED.image, 3, namespace="measured"))
    api.demand("POST", PATHS["Namespace"], namespace)
    for made in others:
        assert made["metadata"]["namespace"] == "measured"
        path = PATHS[made["kind"]].format("measured") + "?dryRun=All"
        found = api.demand("POST", path, made).said()
        if made["kind"] == "Job":
            pod, asked = (o["spec"]["template"]["spec"] for o in (found, made))
            assert found["spec"]["parallelism"] == 3
            assert pod["affinity"] == asked["affinity"]
            assert pod["containers"][0]["args"] == asked["containers"][0]["args"]


@pytest.mark.real
def test_an_api_server_refuses_what_is_none(api):
    *_, job = objects(WANTED)
    job["spec"]["template"]["spec"]["restartPolicy"] = "Always"
    reply = api.ask("POST", PATHS["Job"].format("default") + "?dryRun=All", job
                    | {"metadata": {"name": "cnbench"}})  # fmt: skip
    assert reply.status == 422
    assert "restartPolicy" in reply.said()["message"]


@pytest.mark.real
def test_its_pods_may_be_made_once_their_account_is(api):
    """As in every cluster: the admission of accounts is there, and so are the pod's privileges."""
    namespace, measurer, *_, job = objects(Wanted(WANTED.arguments, WANTED.image, 1, namespace="a"))
    path = "/api/v1/namespaces/a/pods?dryRun=All"
    pod = {"metadata": {"name": "one"}, "spec": job["spec"]["template"]["spec"]}
    api.demand("POST", PATHS["Namespace"], namespace)
    reply = api.ask("POST", path, pod)
    assert reply.status == 403
    assert "error looking up service account a/cnbench" in reply.said()["message"]
    api.demand("POST", PATHS["ServiceAccount"].format("a"), measurer)
    wait_until(lambda: api.ask("POST", path, pod).status == 201, "it is refused", within=30)
    (container,) = api.demand("POST", path, pod).said()["spec"]["containers"]
    assert container["securityContext"]["privileged"]
