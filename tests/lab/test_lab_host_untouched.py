"""A run leaves the machine as it found it, also one that is killed and then cleaned up after."""

import json
import os
import random
import subprocess
import sys
import time
import uuid

import jsonschema
import pytest
from click.testing import CliRunner
from host_state import differences, processes_with, snapshot

from cnbench.cli.main import cli
from cnbench.lab.cgroups.cpu import find_controllers
from cnbench.store import run_file
from cnbench.store.schema import schema

pytestmark = pytest.mark.real
KILLS = 4


@pytest.fixture(scope="module")
def argv():
    """A quick run of both experiments of the foundation, with tiny values."""
    if os.geteuid() != 0:
        pytest.skip("namespaces and cgroups need root")
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode:
        pytest.skip("network namespaces cannot be made here")
    versions = sorted(find_controllers())
    if not versions:
        pytest.skip("there is no cgroup cpu controller here")
    chosen = {
        "controller": ",".join(versions), "quota": "20%", "period": "10ms", "periods": "5",
        "mode": "iptables,nftables", "services": "50", "probes": "20",
    }  # fmt: skip
    assignments = [part for name, value in chosen.items() for part in ("-p", f"{name}={value}")]
    return [
        sys.executable, "-c", "from cnbench.cli.main import main; main()", "run", "cpu-quota",
        "service-routing", *assignments, "--budget", "3s", "--lab", "host", "-o",
    ]  # fmt: skip


def start(argv, path, mark):
    return subprocess.Popen(
        [*argv, str(path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"CNBENCH_TEST": mark},
    )


@pytest.fixture(scope="module")
def undisturbed(argv, tmp_path_factory):
    """The state before and after a whole run, its run file, and the seconds that it took."""
    path = tmp_path_factory.mktemp("run") / "run.json"
    before, mark, began = snapshot(), uuid.uuid4().hex, time.monotonic()
    process = start(argv, path, mark)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    return before, mark, path, time.monotonic() - began


def test_a_run_leaves_the_machine_as_it_was(undisturbed):
    before, mark, path, _ = undisturbed
    assert differences(before) == ([], [])
    assert processes_with(mark) == []
    cases = run_file.read(path).cases
    assert {case.case.experiment for case in cases if case.status == "ok"} == {
        "cpu-quota", "service-routing",
    }  # fmt: skip


def test_a_real_run_file_is_valid_by_the_published_schema(undisturbed):
    *_, path, _ = undisturbed
    valid = jsonschema.Draft202012Validator(schema())
    for line in path.read_text().splitlines():
        valid.validate(json.loads(line))
    assert any(sample.witness for case in run_file.read(path).cases for sample in case.samples)


@pytest.mark.parametrize("moment", random.Random("any moment").sample(range(20, 101), KILLS))
def test_a_killed_run_leaves_nothing_once_collected(argv, undisturbed, tmp_path, moment):
    *_, seconds = undisturbed
    path, mark = tmp_path / "run.json", uuid.uuid4().hex
    before = snapshot()
    process = start(argv, path, mark)
    time.sleep(seconds * moment / 100)
    process.kill()
    process.wait()
    process.stderr.close()
    collected = CliRunner().invoke(cli, ["gc"])
    assert collected.exit_code == 0, collected.output
    assert processes_with(mark) == []
    assert differences(before) == ([], [])
    again = CliRunner().invoke(cli, ["gc", "--dry-run"])
    assert mark not in again.output
    if path.exists():
        run_file.read(path)
