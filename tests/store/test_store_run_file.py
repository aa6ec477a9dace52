import dataclasses
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import jsonschema
import made_up
import pytest

from cnbench.core.errors import ExitCode, UsageError
from cnbench.store import one_object, run_file, schema

ROOT = Path(__file__).parents[2]
RUN = made_up.run(
    made_up.result([1.0, 1.1], "a", twin=[1.0, 1.2]),
    made_up.result([2.0, 2.1], "b", status="failed", reason="it broke", exit_status=3),
)


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "run.json"
    run_file.write(RUN, found)
    return found


@pytest.fixture
def of_one_object(tmp_path):
    found = tmp_path / "one-object.json"
    found.write_bytes(one_object.encode(RUN))
    return found


def changed(path, change):
    """A run as one object after ``change`` had its way with the decoded text."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


def test_a_run_reads_back_as_it_was_written(path):
    assert run_file.read(path) == RUN
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_writing_is_repeatable_and_makes_its_folder(tmp_path):
    deep = tmp_path / "a" / "b" / "run.json"
    run_file.write(RUN, deep)
    first = deep.read_bytes()
    run_file.write(run_file.read(deep), deep)
    assert deep.read_bytes() == first


FAULTS = ["fsync", "fdopen", "replace"]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_fault_while_writing_leaves_the_old_file_and_nothing_else(
    path, monkeypatch, fault, error
):
    def strike(*arguments, **options):
        raise error

    owner = Path if fault in ("replace", "chmod") else os
    before = path.read_bytes()
    monkeypatch.setattr(owner, fault, strike)
    newer = dataclasses.replace(RUN, finished="now")
    wanted = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else UsageError
    with pytest.raises(wanted):
        run_file.write(newer, path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_is_one_sentence_with_a_remedy(path):
    # A limit on the size of files is how an ordinary process meets a disk that is full.
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from cnbench.store import run_file\n"
        "path = Path(sys.argv[1]); run = run_file.read(path)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))\n"
        "try: run_file.write(run, path)\n"
        "except Exception as error: print(type(error).__name__, error, '/', error.remedy)\n"
    )
    before = path.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == (
        f"UsageError the run file {path} could not be written: File too large"
        " / free some space, or write elsewhere: -o FILE\n"
    )
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_is_none_is_one_sentence(path):
    with pytest.raises(UsageError, match="could not be written: Not a directory"):
        run_file.write(RUN, path / "below" / "run.json")


def leave_out(*names):
    def change(content):
        for name in names[:-1]:
            content = content[name]
        del content[names[-1]]

    return change


def put(value, *names):
    def change(content):
        for name in names[:-1]:
            content = content[name]
        content[names[-1]] = value

    return change


SAMPLE = ("cases", 0, "samples", 0)
DAMAGE = {
    "no id": (leave_out("id"), "is damaged: .*`id`"),
    "cases no list": (put({}, "cases"), r"is damaged: .*\$.cases"),
    "a value that is text": (put("1", *SAMPLE, "values", "cost"), r"is damaged: .*values"),
    "a negative cost": (put(-1.0, *SAMPLE, "values", "cost"), "is damaged: metric cost"),
    "an infinite cost": (put(1e999, *SAMPLE, "values", "cost"), "is not a cnbench|is damaged"),
    "an unknown metric": (put({"colour": 1.0}, *SAMPLE, "values"), "is damaged: .*made-up mode=a"),
    "an unknown status": (put("great", "cases", 0, "status"), "is damaged: .*status"),
    "an experiment of none": (put("other", "cases", 0, "case", "experiment"), "damaged: .*other"),
    "unexplained parameters": (put({}, "cases", 0, "case", "params"), "is damaged: .*parameters"),
    "an unknown unit": (put("ells", "experiments", "made-up", "metrics", 0, "unit"), "ells"),
    "a parameter's": (put("ells", "experiments", "made-up", "parameters", "size"), "ells"),
    "another format": (put("perf", "format"), "not a cnbench run file: its format is 'perf'"),
    "no format": (leave_out("format"), "is not a cnbench run file"),
    "no schema": (leave_out("schema"), "is not a cnbench run file"),
    "a newer schema": (put(99, "schema"), r"newer cnbench \(schema 99, here 3\)"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_refused_in_one_sentence(of_one_object, damage):
    path = of_one_object
    change, words = DAMAGE[damage]
    with pytest.raises(UsageError, match=words) as refusal:
        run_file.read(changed(path, change))
    assert refusal.value.exit_code == ExitCode.USAGE
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\n", b"null", b"[]", b"{}", b"3", b'"cnbench-run"', b"\x00\xff\xfe", b"\x89PNG\r\n",
        b'{"format": "cnbench-run"}', b'{"format": "cnbench-run", "schema": 1}',
        b'{"format": "cnbench-run", "schema": "1"}', b'{"version": "1.0", "benchmarks": []}',
        b"[" * 100_000, b'{"a":' * 100_000,
        b'{"format": "cnbench-run", "schema": 1, "id": "\xff"}',
    ],
)  # fmt: skip
def test_a_foreign_file_is_refused_in_one_sentence(tmp_path, content):
    path = tmp_path / "foreign.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"is not a cnbench run file|is damaged") as refusal:
        run_file.read(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_any_part_of_one_object_is_refused(of_one_object):
    path = of_one_object
    whole = path.read_bytes().rstrip()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(UsageError):
            run_file.read(path)


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_is_none_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match="cannot be read"):
        run_file.read(tmp_path / name)


def test_the_published_schema_is_current():
    assert (ROOT / "docs" / "run.schema.json").read_text() == schema.text(), (
        "run: .venv/bin/python -m cnbench.store.schema > docs/run.schema.json"
    )


def test_the_schema_is_printed_by_its_module():
    done = subprocess.run(
        [sys.executable, "-m", "cnbench.store.schema"], capture_output=True, text=True, check=True
    )
    assert done.stdout == schema.text()


@pytest.fixture
def validator():
    made = schema.schema()
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


@pytest.fixture
def validator_of_one_object():
    return jsonschema.Draft202012Validator(
        {"$ref": "#/$defs/Run", "$defs": schema.schema()["$defs"]}
    )


def test_every_line_of_a_written_run_is_valid(path, validator):
    lines = path.read_text().splitlines()
    assert len(lines) > 4
    for line in lines:
        validator.validate(json.loads(line))
    assert not validator.is_valid(3)


def test_a_run_as_one_object_is_valid(of_one_object, validator_of_one_object):
    validator_of_one_object.validate(json.loads(of_one_object.read_text()))
    assert run_file.read(of_one_object) == RUN


@pytest.mark.parametrize(
    "damage", ["no id", "cases no list", "a value that is text", "an unknown status", "no format",
               "no schema", "another format"]
)  # fmt: skip
def test_the_schema_refuses_what_the_reader_refuses(of_one_object, validator_of_one_object, damage):
    content = json.loads(changed(of_one_object, DAMAGE[damage][0]).read_text())
    assert not validator_of_one_object.is_valid(content)
