"""A cluster that a kubeconfig names: a control plane of ours, from inside its own network."""

import base64
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from cnbench.control_plane.api.pace import Pace
from cnbench.control_plane.binaries import KUBERNETES
from cnbench.control_plane.given import cluster as given
from cnbench.control_plane.given.kubeconfig import read
from cnbench.control_plane.given.namespace import own_namespace
from cnbench.control_plane.servers.api_server import ADMIN, URL
from cnbench.control_plane.servers.certificates import MASTERS
from cnbench.control_plane.servers.controllers import start_controller_manager
from cnbench.control_plane.servers.etcd import MEMORY
from cnbench.control_plane.servers.plane import open_plane
from cnbench.core.errors import CnbenchError, UnsupportedError, UsageError
from cnbench.experiments.list_watch import EXPERIMENT
from cnbench.lab.waiting import wait_until
from cnbench.store import run_file


@pytest.fixture
def plane(built, shared_lab):
    """A control plane whose network this thread is in, with what ends its namespaces."""
    with open_plane(shared_lab, built(KUBERNETES), MEMORY) as opened:
        start_controller_manager(opened)
        with opened.enclave.network.entered():
            yield opened


@pytest.fixture
def kubeconfig(plane):
    return plane.certificates.kubeconfig(URL, plane.certificates.client(ADMIN, MASTERS))


def cnbench(*argv):
    asked = [sys.executable, "-m", "cnbench", *map(str, argv)]
    return subprocess.run(asked, capture_output=True, text=True, check=False)


@pytest.fixture(autouse=True)
def nothing_named():
    yield
    given.forget()


def cluster_of(kubeconfig, objects=100, rate=500):
    config = json.loads(kubeconfig.read_text())
    return given.GivenCluster(read(config, kubeconfig.parent), objects, Pace(rate))


def namespaces(plane):
    with plane.api.client() as api:
        found = api.get("/api/v1/namespaces")["items"]
    return [one["metadata"]["name"] for one in found if "cnbench" in one["metadata"]["name"]]


@pytest.mark.real
@pytest.mark.parametrize("way", ["list", "list-pages", "watch", "watch-resume"])
def test_a_users_cluster_is_measured_and_left_as_it_was(plane, kubeconfig, shared_lab, way):
    given.name(cluster_of(kubeconfig))
    wanted = {"server": (given.CLUSTER,), "way": (way,), "objects": (10,), "size": (50,)}
    point = EXPERIMENT.grid(False, wanted | ({"watchers": (2,)} if way == "watch" else {}))[0]
    EXPERIMENT.require(point, shared_lab)
    with shared_lab.fresh_fixtures(), EXPERIMENT.subject(point, shared_lab) as subject:
        values = subject.sample()
        assert subject.proof().holds, subject.proof().broken
        assert len(namespaces(plane)) == 1
    assert namespaces(plane) == []
    assert not {"cpu", "memory"} & set(values)
    for metric, value in values.items():
        EXPERIMENT.metric(metric).check(value)


@pytest.mark.real
def test_a_command_names_its_cluster_and_says_which_in_the_fingerprint(plane, kubeconfig, tmp_path):
    path = tmp_path / "run.cnb"
    run = cnbench(
        "run", "list-watch", "-p", "server=cluster", "-p", "way=list", "-p", "objects=10",
        "--kubeconfig", kubeconfig, "--objects-at-most", "20", "--requests-at-most", "500",
        "--budget", "1s", "-o", path,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert namespaces(plane) == []
    text = path.read_bytes()
    assert b"127.0.0.1" not in text
    (one,) = run_file.read(path).fingerprints.values()
    assert one.machine["cluster"].startswith("v1.20.2")


@pytest.mark.real
def test_a_namespace_is_gone_after_the_death_of_whoever_made_it(plane, kubeconfig):
    cluster = cluster_of(kubeconfig)
    child = os.fork()
    if not child:
        with own_namespace(cluster):
            time.sleep(600)
        os._exit(1)
    wait_until(lambda: namespaces(plane), "no namespace was made", within=30)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    wait_until(lambda: not namespaces(plane), "the namespace is still there", within=60)


@pytest.mark.real
def test_a_namespace_that_cannot_be_removed_is_said(plane, kubeconfig, monkeypatch):
    def refused(cluster, name):
        raise CnbenchError("refused")

    monkeypatch.setattr("cnbench.control_plane.given.namespace.remove", refused)
    with (
        pytest.raises(CnbenchError, match="kubectl delete namespace cnbench-"),
        own_namespace(cluster_of(kubeconfig)),
    ):
        pass


def test_requests_are_no_closer_than_the_bound_allows(monkeypatch):
    now, slept = [10.0], []
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", slept.append)
    pace = Pace(4)
    for _ in range(3):
        pace.wait()
    now[0] = 20.0
    pace.wait()
    assert slept == [0.0, 0.25, 0.5, 0.0]


def test_there_is_room_for_so_many_objects_and_no_more():
    cluster = given.GivenCluster(None, 30, Pace(10))
    with (
        cluster.room(20),
        cluster.room(10),
        pytest.raises(UnsupportedError, match="30 and 1 objects are more than the 30"),
        cluster.room(1),
    ):
        pass
    with cluster.room(30):
        pass


@pytest.mark.parametrize(
    ("changes", "said"), [({"objects": 16}, "twice since"), ({"rate": 11}, "11 writes a second")]
)
def test_a_point_beyond_the_bounds_is_not_measured(shared_lab, changes, said):
    given.name(given.GivenCluster(None, 30, Pace(10)))
    wanted = {"server": "cluster", "way": "watch", "objects": 15, "rate": 10, "watchers": 1}
    point = EXPERIMENT.grid(False, {name: (it,) for name, it in wanted.items()})[0]
    EXPERIMENT.require(point, shared_lab)
    with pytest.raises(UnsupportedError, match=said):
        EXPERIMENT.require(point | changes, shared_lab)
    given.forget()
    with pytest.raises(UnsupportedError, match="no cluster of your own is named"):
        EXPERIMENT.require(point, shared_lab)


def config(server="https://10.0.0.1:6443", cluster=None, user=None):
    return {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server, **(cluster or {})}}],
        "users": [{"name": "u", "user": {"token": "secret-token"} if user is None else user}],
    }


def test_a_token_is_read_and_never_shown(tmp_path):
    found = read(config(), tmp_path)
    assert (found.host, found.port, found.token) == ("10.0.0.1", 6443, "secret-token")
    assert "secret" not in repr(found)
    (tmp_path / "token").write_text("from-a-file\n")
    token = read(config(user={"tokenFile": "token"}), tmp_path).token
    assert token.removeprefix("from-") == "a-file"
    assert read(config("https://other"), tmp_path).identity != found.identity


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"user": {"exec": {"command": "aws"}}}, "its user has 'exec'"),
        ({"user": {"username": "a", "password": "b"}}, "its user has 'password'"),
        ({"server": "http://10.0.0.1:8080"}, "not https"),
        ({"server": "https://10.0.0.1:port"}, "it lacks"),
        ({"cluster": {"insecure-skip-tls-verify": True}}, "does not ask who the server is"),
        ({"cluster": {"certificate-authority": "nowhere.crt"}}, "certificate-authority cannot"),
        ({"user": {"client-certificate-data": "!"}}, "client-certificate cannot be read"),
        ({"user": {"client-certificate-data": base64.b64encode(b"x").decode()}}, "belong together"),
    ],
)
def test_a_kubeconfig_that_wants_more_is_refused(tmp_path, changes, said):
    with pytest.raises(UsageError, match=said):
        read(config(**changes), tmp_path)


def test_a_kubeconfig_without_a_context_is_refused(tmp_path):
    with pytest.raises(UsageError, match="'other' among its contexts"):
        read(config() | {"current-context": "other"}, tmp_path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--kubeconfig", "FILE"], "within bounds alone"),
        (["--kubeconfig", "FILE", "--objects-at-most", "10"], "within bounds alone"),
        (["--objects-at-most", "10"], "these bounds are of a cluster"),
        (["--kubeconfig", "nowhere", "--objects-at-most", "10", "--requests-at-most", "5"],
         "is no kubeconfig"),
        (["--kubeconfig", "LIST", "--objects-at-most", "10", "--requests-at-most", "5"],
         "is no kubeconfig"),
    ],
)  # fmt: skip
def test_a_cluster_is_named_with_its_bounds(tmp_path, options, said):
    (tmp_path / "FILE").write_text(json.dumps(config()))
    (tmp_path / "LIST").write_text("[]")
    asked = [str(tmp_path / one) if one in ("FILE", "LIST") else one for one in options]
    run = cnbench("run", "list-watch", *asked)
    assert run.returncode == 2
    assert said in run.stderr
