"""Machines that lack something: space, permissions, root, a tool. Each in a namespace of mounts."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cnbench.experiments import registry
from cnbench.lab.cgroups.cpu import find_controllers
from cnbench.store import run_file

pytestmark = pytest.mark.real
ONE_CASE = ("run", "made-up", "-p", "mode=a", "-p", "size=1", "--lab", "host")


@pytest.fixture
def with_mounts():
    """The command that runs another one in a mount namespace of its own, after ``script``."""
    if os.geteuid() != 0:
        pytest.skip("a mount namespace needs root")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        pytest.skip("mount namespaces cannot be made here")
    return lambda script: ("unshare", "--mount", "sh", "-c", f'{script} && exec "$@"', "sh")


def test_a_read_only_folder_is_found_before_anything_is_measured(with_mounts, run_process, results):
    results.mkdir()
    before = with_mounts(f"mount -t tmpfs -o ro none {results}")
    run_process(*ONE_CASE, before=before).failed_in_one_sentence(
        2, "could not be written: Read-only file system", "-o FILE"
    )


def test_a_disk_that_fills_up_loses_nothing(with_mounts, run_process, results, tmp_path):
    results.mkdir()
    refuge = tmp_path / "refuge"
    refuge.mkdir()
    before = with_mounts(f"mount -t tmpfs -o size=8k none {results}")
    done = run_process(*ONE_CASE, "-p", "spread=10%", "-p", "pace=1ms", "--budget", "2s",
                       before=before, TMPDIR=str(refuge))  # fmt: skip
    done.failed_in_one_sentence(2, "No space left on device", "the whole run is in")
    (path,) = refuge.glob("*.jsonl")
    assert str(path) in done.err
    (case,) = run_file.read(path).cases
    assert case.status == "ok"
    assert "tried again after every case" in done.err.replace("\n", " ")


def test_without_a_tool_the_case_says_which_package_has_it(with_mounts, run_process):
    nft = shutil.which("nft", path="/usr/sbin:/sbin:/usr/bin")
    if nft is None:
        pytest.skip("nft is not installed to begin with")
    before = with_mounts(f"mount --bind /dev/null {nft}")
    done = run_process(
        "run", "service-routing", "--lab", "host", "-p", "mode=nftables", "-p", "services=1",
        "-p", "position=first", "--json", before=before,
    )  # fmt: skip
    assert done.code == 5
    rows = json.loads(done.out)["rows"]
    assert {row["status"] for row in rows} == {"unsupported"}
    assert {(row["reason"], row["remedy"]) for row in rows} == {
        ("nft is not installed", "apt-get install nftables")
    }
    assert done.err.count("Traceback") == 0
    assert "cnbench: nothing could be measured" in done.err


def test_without_qemu_one_line_says_so_and_the_rest_is_measured(with_mounts, run_process):
    qemu = shutil.which("qemu-system-x86_64")
    before = with_mounts(f"mount --bind /dev/null {qemu}" if qemu else "true")
    done = run_process(
        "run", "service-routing", "-p", "mode=iptables,ipvs", "-p", "services=1", "-p",
        "position=first", "-p", "measure=connect", "--budget", "2s", "--json",
        before=before, PATH=os.environ["PATH"],
    )  # fmt: skip
    rows = json.loads(done.out)["rows"]
    by_mode = {row["params"]["mode"]: row["status"] for row in rows}
    if by_mode["ipvs"] == "ok":
        pytest.skip("this kernel has IPVS, and nothing is missing")
    assert done.code == 0, done.err
    assert by_mode == {"iptables": "ok", "ipvs": "unsupported"}
    said = [line for line in done.err.splitlines() if "is left out" in line]
    assert said == [
        "What this kernel lacks is left out, since qemu-system-x86_64 is not installed: "
        "apt-get install qemu-system-x86"
    ]


@pytest.fixture
def nobody():
    """The command that runs another one as the user nobody."""
    if os.geteuid() != 0:
        pytest.skip("changing to another user needs root")
    argv = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    trial = [*argv, sys.executable, "-c", "import cnbench"]
    if subprocess.run(trial, capture_output=True, cwd="/").returncode:
        pytest.skip("the user nobody cannot read this Python or this package")
    return argv


def test_without_root_every_case_says_so(nobody, run_process, monkeypatch):
    with tempfile.TemporaryDirectory(prefix="nobodys-") as name:
        home = Path(name)
        home.chmod(0o777)
        monkeypatch.chdir(home)
        done = run_process(
            "run", "cpu-quota", "service-routing", "--lab", "host", "-p", "controller=v1,v2",
            "-p", "services=1", "--json", before=nobody,
            CNBENCH_RESULTS=str(home / "runs"), TMPDIR=name, XDG_RUNTIME_DIR=name,
        )  # fmt: skip
        assert done.code == 5, done.err
        rows = json.loads(done.out)["rows"]
        assert {row["status"] for row in rows} == {"unsupported"}
        assert all(row["reason"] and row["remedy"] for row in rows)
        assert any("needs root" in row["reason"] for row in rows) or any(
            "Operation not permitted" in row["reason"] for row in rows
        )
        assert "Traceback" not in done.err
        assert list((home / "cnbench").iterdir()) == []  # the journal is gone with the run


def refused(done):
    """What doctor says cannot be measured: the reasons, by experiment and variant."""
    assert done.code == 0, done.err
    return {
        (one["experiment"], one["variant"]): one["reason"]
        for one in json.loads(done.out)
        if not one["supported"]
    }


@pytest.fixture
def cpu_controller():
    found = find_controllers()
    if not found:
        pytest.skip("this machine has no cpu controller")
    return next(iter(found.items()))


HIDDEN = {
    "read-only": ("mount --bind {0} {0} && mount -o remount,bind,ro {0}", "read-only"),
    "overmounted": ("mount -t tmpfs none {0}", ""),
}


@pytest.mark.parametrize("how", HIDDEN)
def test_doctor_tries_cgroups_that_are_mounted_and_cannot_be_used(
    how, with_mounts, run_process, cpu_controller
):
    version, controller = cpu_controller
    script, words = HIDDEN[how]
    done = run_process("doctor", "--json", before=with_mounts(script.format(controller.cpu)))
    reason = refused(done)["cpu-quota", f"controller={version}"]
    assert words in reason.lower()
    lacking = {experiment for experiment, variant in refused(done) if version in variant}
    assert {"cpu-quota", "cpu-burst", "cpu-weight"} <= lacking


def test_doctor_tries_what_root_without_capabilities_may_not(run_process):
    if os.geteuid() != 0:
        pytest.skip("dropping a capability needs one")
    lesser = ("setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin")
    lacking = refused(run_process("doctor", "--json", before=lesser))
    assert "Operation not permitted" in lacking["copy-up", "filesystem=tmpfs"]
    assert "Operation not permitted" in lacking["service-routing", "mode=iptables"]


def test_doctor_names_every_experiment_and_is_never_cut(run_process):
    done = run_process("doctor", COLUMNS="80")
    assert all(name in done.out for name in registry.names())
    assert all(len(line) <= 80 for line in done.out.splitlines())
    assert "…" not in done.out
