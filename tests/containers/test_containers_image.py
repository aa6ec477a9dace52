"""The image, its program, the bundle and the messages of the CRI, without a kernel's help."""

import io
import json
import struct
import tarfile
from pathlib import Path

import pytest

from cnbench.containers import image
from cnbench.containers.bare import filter_program
from cnbench.containers.bundle import MOUNTS, REFUSED, Wanted, specification
from cnbench.containers.first_process import PROGRAM, program
from cnbench.containers.table import NUMBERS, Table
from cnbench.core.errors import UnsupportedError
from cnbench.experiments.container_start import EXPERIMENT
from cnbench.experiments.container_start.proof import layers_below
from cnbench.lab.cgroups import everywhere
from cnbench.rpc.messages import message
from cnbench.rpc.services import method


def made():
    try:
        return image.image()
    except UnsupportedError as error:
        pytest.skip(f"{error}; {error.remedy}")


def test_the_image_is_the_same_whenever_it_is_made():
    first = made()
    image.image.cache_clear()
    image.layer.cache_clear()
    assert image.image() == first


def test_every_blob_of_the_image_is_what_its_name_says():
    import hashlib

    with tarfile.open(fileobj=io.BytesIO(made().tar)) as tar:
        blobs = {m.name: tar.extractfile(m).read() for m in tar if m.isfile()}
    index = json.loads(blobs.pop("index.json"))
    assert json.loads(blobs.pop("oci-layout")) == {"imageLayoutVersion": "1.0.0"}
    (docker,) = json.loads(blobs.pop("manifest.json"))
    assert {docker["Config"], *docker["Layers"]} < set(blobs)
    for name, blob in blobs.items():
        assert name == f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}"
    assert index["manifests"][0]["digest"] == made().digest
    manifest = json.loads(blobs["blobs/sha256/" + made().digest.removeprefix("sha256:")])
    for described in (manifest["config"], *manifest["layers"]):
        blob = blobs["blobs/sha256/" + described["digest"].removeprefix("sha256:")]
        assert len(blob) == described["size"]


def test_the_program_is_an_executable_whose_entry_is_its_code():
    data = program()
    assert data[:4] == b"\x7fELF"
    entry, table = struct.unpack("=QQ", data[24:40])
    start = entry - 0x400000
    assert data[start : start + 5].hex() == "b8e4000000"
    assert table == 64


@pytest.mark.parametrize(
    "wanted",
    [Wanted(), Wanted(network="none"), Wanted(mounts=3), Wanted(seccomp=True), Wanted(user=True)],
)
def test_a_bundle_asks_for_what_is_wanted(wanted):
    asked = specification(wanted, Path("/root"), "/group/one", Path("/extra"))
    kinds = {one["type"] for one in asked["linux"]["namespaces"]}
    assert ("network" in kinds) == (wanted.network == "none")
    assert ("user" in kinds) == wanted.user
    assert len(asked["mounts"]) == len(MOUNTS) + wanted.mounts
    assert ("seccomp" in asked["linux"]) == wanted.seccomp
    assert asked["process"]["args"] == [PROGRAM]


def test_an_image_of_more_layers_has_the_files_of_the_first_and_another_chain():
    one, three = made(), image.image(3)
    with tarfile.open(fileobj=io.BytesIO(three.tar)) as tar:
        (docker,) = json.load(tar.extractfile("manifest.json"))
        first = tar.extractfile(docker["Layers"][0]).read()
    assert docker["RepoTags"] == [image.name(3)] == ["localhost/first-process:3"]
    assert len(set(docker["Layers"])) == 3
    assert first == image.layer()
    assert len({one.digest, three.digest, one.chain, three.chain}) == 4


def test_a_chain_is_the_specifications():
    """Of two layers: SHA-256 of both digests with a space between; of one, its digest."""
    import hashlib

    assert list(image._chains(["sha256:a"])) == ["sha256:a"]
    both = hashlib.sha256(b"sha256:a sha256:b").hexdigest()
    assert list(image._chains(["sha256:a", "sha256:b"])) == ["sha256:a", f"sha256:{both}"]


ROOTS = {
    "1 0 8:1 / / rw - ext4 /dev/sda1 rw": 0,
    "1 0 0:9 / / rw - overlay overlay rw,lowerdir=/a:/b:/c,upperdir=/u,workdir=/w": 3,
    "1 0 0:9 / / rw - overlay overlay rw,lowerdir+=/a,lowerdir+=/b,upperdir=/u": 2,
}


@pytest.mark.parametrize("line", ROOTS)
def test_layers_below_a_root_are_those_of_its_overlayfs(line):
    beside = "2 1 0:8 / /proc rw - proc proc rw"
    before = "1 0 0:9 / / rw - overlay overlay rw,lowerdir=/x:/y:/z:/z:/z"
    assert layers_below([before, line, beside]) == ROOTS[line]


def run_filter(program, number, architecture=0xC000003E):
    """What a filter gives for a call: an interpreter of the three instructions that it has."""
    lines = [struct.unpack("=HBBI", program[at : at + 8]) for at in range(0, len(program), 8)]
    loaded, position = 0, 0
    while True:
        code, yes, no, value = lines[position]
        position += 1
        if code == 0x20:
            loaded = {0: number, 4: architecture}[value]
        elif code == 0x15:
            position += yes if loaded == value else no
        else:
            return value


@pytest.mark.parametrize("number", [0, 1, 34, 59, 228, 1000])
def test_a_filter_lets_other_calls_pass(number):
    assert run_filter(filter_program(list(REFUSED.values())), number) == 0x7FFF0000


@pytest.mark.parametrize("number", sorted(REFUSED.values()))
def test_a_filter_refuses_each_call_that_it_names(number):
    assert run_filter(filter_program(list(REFUSED.values())), number) == 0x00050001


def test_a_filter_kills_what_calls_by_other_numbers():
    assert run_filter(filter_program([1]), 0, 0x40000003) == 0x80000000


def test_a_table_lays_its_calls_out_with_a_result_each():
    table = Table()
    table.call("chdir", "/")
    table.call("umount2", ".", 2)
    assert len(table) == 2
    assert table.results() == [0, 0]
    assert table.refused() == ""
    assert NUMBERS["clone3"] == 435


def test_messages_of_the_cri_have_the_interfaces_numbers():
    sent = message("RunPodSandboxRequest")()
    sent.config.metadata.name = "pod"
    sent.config.linux.cgroup_parent = "/g"
    sent.config.linux.security_context.namespace_options.network = 2
    # Field 1 (config): field 1 (metadata): field 1 (name); field 8 (linux): 1, and 2.1.1.
    assert sent.SerializeToString().hex() == "0a130a050a03706f64420a0a022f6712040a020802"


def test_calls_of_containerd_have_its_services_paths_and_numbers():
    asked = method("Tasks.Create")
    assert asked.path == "/containerd.services.tasks.v1.Tasks/Create"
    sent = asked.request(container_id="c", rootfs=[{"type": "overlay", "options": ["ro"]}])
    # Field 1; field 3: fields 1 and 4.
    assert sent.SerializeToString().hex() == "0a01631a0d0a076f7665726c61792202726f"
    assert method("RemoveImage").path == "/runtime.v1.ImageService/RemoveImage"
    assert method("Status").path == "/runtime.v1.RuntimeService/Status"
    with pytest.raises(KeyError):
        method("Tasks.Nothing")


@pytest.mark.parametrize("name", ["StatusRequest", "StopPodSandboxResponse"])
def test_messages_without_fields_are_empty(name):
    assert message(name)().SerializeToString() == b""


V1 = """cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0
cgroup /tmp/cnbench-0123456789ab/v1-net_cls cgroup rw,net_cls 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
"""


def test_runtimes_use_all_of_v1_and_none_that_a_run_has_mounted():
    assert everywhere.roots(V1) == [Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup/systemd")]


def test_runtimes_use_v2_where_there_is_nothing_else():
    assert everywhere.roots("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n") == [Path("/sys/fs/cgroup")]


def test_without_cgroups_there_is_a_remedy():
    with pytest.raises(UnsupportedError, match="no cgroups"):
        everywhere.roots("proc /proc proc rw 0 0\n")


def test_points_that_make_no_sense_are_left_out():
    points = EXPERIMENT.grid(True, {})
    assert points
    assert not [p for p in points if p["network"] == "bridge" and p["runtime"] != "cri"]
    assert not [p for p in points if p["user"] == "on" and p["network"] == "host"]
