import json
from dataclasses import replace

import made_up
import pytest

from cnbench.store import run_file

MADE_UP = ("run", "made-up", "-p", "mode=a", "-p", "size=1")
BAD = {
    "an unknown command": (["measure"], "measure"),
    "an unknown option": (["run", "--fast"], "--fast"),
    "an unknown experiment": (["run", "nonsense"], "there is no experiment 'nonsense'"),
    "nearly an experiment": (["run", "cpu-qouta"], "did you mean cpu-quota? choose from"),
    "nearly a parameter": (["run", "-p", "qouta=1"], "did you mean quota? choose from"),
    "nearly a value": (["run", "pod-network", "-p", "backend=vxlam"], "did you mean vxlan?"),
    "an unknown parameter": (["run", "cpu-quota", "-p", "colour=red"], "no parameter 'colour'"),
    "a parameter of none": (["run", "-p", "colour=red"], "no experiment has a parameter 'colour'"),
    "no value": (["run", "cpu-quota", "-p", "quota"], "'quota' does not set a parameter"),
    "out of range": (["run", "cpu-quota", "-p", "period=2s"], "period: 2s is out of range"),
    "no number": (["run", "cpu-quota", "-p", "period=soon"], "'soon' is not a number"),
    "a foreign unit": (["run", "cpu-quota", "-p", "period=2 ells"], "'ells'"),
    "no word of it": (["run", "cpu-quota", "-p", "controller=v3"], "'v3' is not one of its values"),
    "no whole number": (["run", "cpu-quota", "-p", "threads=1.5"], "1.5 is not a whole number"),
    "nonsense": (["run", "cpu-quota", "-p", "quota=200%", "-p", "threads=1"], "never use up"),
    "no budget": (["run", "--budget", "0"], "must be more than nothing"),
    "a budget in words": (["run", "--budget", "ages"], "'ages' is not a number"),
    "a seed in words": (["run", "--seed", "x"], "'x'"),
    "an unknown lab": (["run", "--lab", "moon"], "'moon'"),
    "an unknown clock": (["run", "--clock", "sun"], "'sun'"),
    "an output below a file": ([*MADE_UP, "-o", "file/run.json"], "could not be written"),
    "an output that is a folder": ([*MADE_UP, "-o", "."], "could not be written"),
    "nothing to resume": (["run", "--resume", "latest"], "there are no runs"),
    "a damaged run to resume": (["run", "--resume", "damaged.json"], "damaged.json"),
    "other cases to resume": (["run", "made-up", "--resume", "latest"], "--resume goes on with"),
    "nothing to show": (["show"], "there are no runs"),
    "a missing file": (["show", "missing.json"], "missing.json cannot be read: No such file"),
    "a damaged file": (["show", "damaged.json"], "damaged.json is not a cnbench run file"),
    "a foreign file": (["show", "foreign.json"], "its format is 'perf'"),
    "a newer file": (["show", "newer.json"], "newer cnbench (schema 99, here 3)"),
    "a folder": (["show", "."], ""),
    "a list of nothing": (["list", "nonsense"], "there is no experiment 'nonsense'"),
    "one run to compare": (["compare", "latest"], "compare takes two runs, not 1"),
    "three runs to compare": (["compare", "a", "b", "c"], "compare takes two runs, not 3"),
    "no runs to compare": (["compare"], "A B"),
    "a margin in words": (["compare", "a", "b", "--fail-on", "much"], "'much' is not a number"),
    "damaged runs to compare": (["compare", "damaged.json", "damaged.json"], "damaged.json"),
    "one variant": (["compare", "made-up", "--vary", "mode=a"], "names 1 variant"),
    "an unknown variant": (["compare", "made-up", "--vary", "mode=a,c"], "'c' is not one"),
    "variants of two": (["compare", "a", "b", "--vary", "mode=a,b"], "measures one experiment"),
    "nothing to report": (["report"], "there are no runs"),
}  # fmt: skip


@pytest.fixture
def files(results, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "damaged.json").write_text('{"format": "cnb')
    (tmp_path / "foreign.json").write_text('{"format": "perf", "schema": 1}')
    (tmp_path / "newer.json").write_text('{"format": "cnbench-run", "schema": 99}')


@pytest.mark.parametrize("bad", BAD)
def test_bad_input_is_one_sentence_and_exit_code_2(cnbench, files, results, bad):
    argv, words = BAD[bad]
    cnbench(*argv).failed_in_one_sentence(2, words)
    assert not list(results.glob("*.jsonl"))


def test_a_real_process_ends_the_same_way(run_process, files):
    run_process("run", "nonsense").failed_in_one_sentence(2, "there is no experiment 'nonsense'")
    run_process("show", "damaged.json").failed_in_one_sentence(2, "damaged.json")


def test_an_older_run_file_is_not_touched_by_a_bad_command(cnbench, results):
    path = results / "20260101-000000-aaaa.json"
    run_file.write(made_up.run(made_up.result([1.0] * 6)), path)
    before = path.read_bytes()
    cnbench("run", "made-up", "--resume", "latest").failed_in_one_sentence(2)
    cnbench("run", "made-up", "-p", "size=100").failed_in_one_sentence(2, "size: 100")
    assert path.read_bytes() == before


def test_a_run_of_another_cnbenchs_experiment_is_not_resumed(cnbench, results):
    run = made_up.run(made_up.result([1.0] * 6))
    run.request = replace(run.request, experiments=("gone",))
    run_file.write(run, results / f"{run.id}.json")
    cnbench("run", "--resume", "latest").failed_in_one_sentence(2, "no experiment 'gone'")


def test_a_case_that_lacks_something_is_told_and_fails_the_run_if_it_is_all(cnbench):
    done = cnbench("run", "made-up", "-p", "mode=lacking", "-p", "size=1", "--lab", "host")
    assert done.code == 5
    assert "1 case unsupported: there is no made-up thing here" in done.out
    assert "apt-get install made-up" in done.out
    assert done.err.splitlines()[-2:] == [
        "cnbench: nothing could be measured",
        "         `cnbench doctor` says what is missing",
    ]


def test_what_can_be_measured_is_beside_what_is_lacking(cnbench):
    done = cnbench("run", "made-up", "-p", "mode=lacking,a", "-p", "size=1", "--lab", "host")
    assert done.code == 0
    assert "1 case unsupported" in done.out


def test_a_failed_case_is_told_and_is_the_exit_code(cnbench):
    argv = ("run", "made-up", "-p", "mode=a,broken", "-p", "size=1", "--lab", "host")
    done = cnbench(*argv)
    assert done.code == 5
    assert "1 case failed: OSError: the made-up thing broke" in done.out
    assert "Traceback" not in done.out + done.err
    rows = json.loads(cnbench(*argv, "--json").out)["rows"]
    assert {row["params"]["mode"]: row["status"] for row in rows} == {"a": "ok", "broken": "failed"}


def test_a_reader_that_has_gone_is_no_error(spawn):
    process = spawn("list", "--json")
    process.stdout.close()
    assert process.wait(timeout=300) == 0, process.stderr.read()
