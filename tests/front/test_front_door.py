"""What ``import cnbench`` offers, and what it does not make anybody wait for."""

import subprocess
import sys

import made_up
import pytest

import cnbench
from cnbench.measuring.events import CaseEnded
from cnbench.store import run_file

OFFERED = [
    "CnbenchError", "CommandError", "NotComparableError", "ProofError", "UnsupportedError",
    "UsageError", "compare", "load", "measure",
]  # fmt: skip


def python(program, *options, **places):
    done = subprocess.run(
        [sys.executable, *options, "-c", program], capture_output=True, text=True, **places
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_front_door_offers_these_names_and_no_others():
    told = python("import cnbench; print([n for n in dir(cnbench) if n[0] != '_'])")
    assert told == str(OFFERED)
    assert sorted(cnbench.__all__) == OFFERED


def test_every_name_is_there_when_it_is_asked_for():
    assert all(getattr(cnbench, name) is not None for name in OFFERED)
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        cnbench.lode  # noqa: B018


def test_importing_it_imports_nothing_but_itself():
    program = (
        "import sys; before = set(sys.modules); import cnbench;"
        "print(sorted(n for n in set(sys.modules) - before if n.split('.')[0] in"
        " ('numpy', 'pandas', 'scipy', 'msgspec', 'click') or n.startswith('cnbench.')))"
    )
    assert python(program) == "[]"


def test_runs_are_compared_by_name_or_as_objects(tmp_path):
    runs = [made_up.run(made_up.result([value] * 8, twin=[value] * 8)) for value in (1.0, 1.5)]
    files = [tmp_path / "before.json", tmp_path / "after.json"]
    for run, file in zip(runs, files, strict=True):
        run_file.write(run, file)
    by_name = cnbench.compare(*files)
    assert [row.effect.estimate for row in by_name] == [pytest.approx(1.5)]
    assert [row.as_json() for row in cnbench.compare(*runs)] == [row.as_json() for row in by_name]


@pytest.mark.slow
def test_a_users_script_sees_the_types(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        'import cnbench\nruns = cnbench.load("results")\nreveal_type(runs.frame())\n'
        'reveal_type(cnbench.compare("a", "b"))\n'
    )
    told = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", tmp_path / "cache", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    ).stdout
    assert 'Revealed type is "pandas' in told
    assert 'list[cnbench.analysis.compared.Compared]"' in told


def test_an_experiment_is_measured_as_on_the_command_line(tmp_path):
    told = []
    run = cnbench.measure(
        "scheduler-scoring",
        plugin="NodeResourcesFit",
        extension_point="filter",
        nodes=[10, "20"],
        lab="host",
        budget=2,
        output=tmp_path / "run.json",
        listen=told.append,
    )
    assert [result.status for result in run.cases] == ["ok", "ok"]
    assert {result.case.params["nodes"] for result in run.cases} == {10, 20}
    assert run.finished
    assert cnbench.load(tmp_path / "run.json").runs == [run]
    assert sum(isinstance(event, CaseEnded) for event in told) == 2


def test_what_cannot_be_measured_is_refused_before_anything_is_written(tmp_path):
    output = tmp_path / "run.json"
    for wrong in ({"mode": "iptables"}, {"nodes": []}, {"nodes": -1}, {"plugin": "Nonsense"}):
        with pytest.raises(cnbench.UsageError):
            cnbench.measure("scheduler-scoring", output=output, lab="host", **wrong)
    with pytest.raises(cnbench.UsageError, match="no experiment"):
        cnbench.measure("scheduler-scorn", output=output)
    assert not output.exists()
