"""A fleet in network namespaces: the same results as without, also when workers are killed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cnbench.lab import commands
from cnbench.lab.guest import start
from cnbench.store import run_file

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "experiments"))

from fleet_known_answers.in_namespaces import fleet_in_namespaces, said_by
from fleet_known_answers.runs import WITHIN, counted, furthest, medians, times_told
from own_cluster import objects

KERNEL = "trixie"
PRESET = """
[presets.short]
experiments = "namespaces"
parameters = { kind = "uts", call = "clone3", live = [0, 1] }
lab = "host"
budget = "3s"
"""
# One timed group each; a handful of samples.
TIMED = ("namespaces", "-p", "kind=uts", "-p", "call=clone3", "-p", "live=0,1,2,3,4,5",
         "--lab", "host", "--budget", "3s")  # fmt: skip

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces are made by root"),
]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    with fleet_in_namespaces(3, tmp_path_factory.mktemp("fleet")) as found:
        for worker in [found.start_worker(at, "--jobs", "1") for at in range(2)]:
            said_by(worker, "is ready")
        yield found


@pytest.mark.skipif(not start.is_built(KERNEL), reason=f"no guest with {KERNEL} is built")
def test_two_workers_count_what_one_run_without_them_does(fleet):
    done = fleet.run(*counted(2), "-o", "fleet.jsonl")
    assert done.returncode == 0, done.stderr
    alone = subprocess.run(
        [sys.executable, "-m", "cnbench", "run", *counted(2), "-o", "alone.jsonl"],
        cwd=fleet.folder, capture_output=True, text=True,
    )  # fmt: skip
    assert alone.returncode == 0, alone.stderr
    found = medians(fleet.folder / "fleet.jsonl")
    assert len(found) == 2
    assert furthest(found, medians(fleet.folder / "alone.jsonl")) < WITHIN
    assert run_file.read(fleet.folder / "fleet.jsonl").node == ""


def test_what_a_killed_worker_was_measuring_is_measured_by_another(fleet):
    victim = fleet.start_worker(2, "--jobs", "1")
    said_by(victim, "is ready")
    path = fleet.folder / "killed.jsonl"
    with fleet.begun(*TIMED, "-o", str(path)) as run:
        said_by(run, "[1/6]")
        victim.kill()
        rest = run.communicate()[1]
    assert run.returncode == 0, rest
    cases = run_file.read(path).cases
    assert sorted(case.case.params["live"] for case in cases) == [0, 1, 2, 3, 4, 5]
    assert {case.status for case in cases} == {"ok"}
    told = times_told(path)
    assert set(told.values()) == {1}
    assert len(told) == 6


def test_every_node_has_a_run_of_its_own(fleet):
    done = fleet.run(*TIMED, "--every-node", "-o", "gathered", "--json")
    assert done.returncode == 0, done.stderr
    runs = {path.stem: run_file.read(path) for path in (fleet.folder / "gathered").iterdir()}
    assert set(runs) == {"node0", "node1"}
    for name, run in runs.items():
        assert run.node == name
        assert run.finished
        assert len(run.cases) == 6


def test_a_run_that_was_stopped_goes_on_with_what_is_left(fleet):
    path = fleet.folder / "stopped.jsonl"
    with fleet.begun(*TIMED, "-o", str(path)) as run:
        said_by(run, "[1/6]")
        run.terminate()
        said = run.communicate()[1]
    assert run.returncode == 130
    assert "cnbench fleet run --resume" in said
    begun = {case.case.key for case in run_file.read(path).cases}
    assert 1 <= len(begun) < 6
    done = fleet.run("--resume", str(path))
    assert done.returncode == 0, done.stderr
    assert len(run_file.read(path).cases) == 6
    assert set(times_told(path).values()) == {1}


def test_a_preset_is_of_a_fleet_as_of_one_machine(fleet):
    (fleet.folder / "cnbench.toml").write_text(PRESET)
    done = fleet.run("@short", "-p", "live=2", "-o", "preset.jsonl")
    assert done.returncode == 0, done.stderr
    cases = run_file.read(fleet.folder / "preset.jsonl").cases
    assert [case.case.params["live"] for case in cases] == [2]


@pytest.mark.skipif(not commands.find("iptables-legacy"), reason="iptables-legacy is missing")
def test_a_cluster_s_own_services_go_to_whoever_measures_them(fleet):
    (fleet.folder / "mine.json").write_text(json.dumps(objects(5)))
    point = ("-p", "mode=iptables", "-p", "measure=connect", "-p", "probes=20")
    done = fleet.run("service-routing", "--services-from", "mine.json", *point, "--lab", "host",
                     "--budget", "3s", "-o", "own.jsonl")  # fmt: skip
    assert done.returncode == 0, done.stderr
    run = run_file.read(fleet.folder / "own.jsonl")
    assert run.cases
    for case in run.cases:
        assert case.status == "ok", case.reason
        assert case.case.params["cluster"] in run.request.inputs


def test_a_worker_listens_where_its_scheduler_is_and_nowhere_else(fleet):
    listening = fleet.nodes[0].run(["ss", "-Hltn"]).stdout.splitlines()
    assert listening
    assert {line.split()[3].rpartition(":")[0] for line in listening} == {"10.77.0.10"}
