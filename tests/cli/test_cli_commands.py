import json
import re
import subprocess
import sys

import pytest

from cnbench.analysis import published
from cnbench.analysis.published.figure import Figure
from cnbench.analysis.published.ours import value_of
from cnbench.cli.main import COMMANDS
from cnbench.store import run_file

RUN = ("run", "made-up", "-p", "size=1", "--lab", "host")


@pytest.mark.parametrize("name", ["", *COMMANDS, "guest build", "guest run", "services generate"])
def test_help_has_examples_on_lines_of_their_own(cnbench, name):
    done = cnbench(*name.split(), "--help")
    assert done.code == 0
    assert done.err == ""
    text = done.out.partition("\nOptions:")[0]
    assert re.search(rf"^    cnbench {name or 'run'}\b", text, re.MULTILINE)
    assert "\\" not in text.replace("\\\n", "")  # click's marks, printed for all to see


def test_help_imports_nothing_that_takes_long():
    program = (
        "import sys\n"
        "sys.argv = ['cnbench', '--help']\n"
        "from cnbench.cli.main import main\n"
        "try: main()\n"
        "finally: print(sorted(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0
    assert "doctor" in done.stdout
    slow = {
        "rich", "numpy", "pandas", "scipy", "matplotlib", "msgspec", "pyroute2", "jinja2", "asv",
        "cnbench.experiments", "cnbench.measuring", "cnbench.store", "cnbench.report",
    }  # fmt: skip
    assert set(re.findall(r"'([^']+)'", done.stderr)) & slow == set()


def test_a_run_ends_in_a_table_and_a_file(cnbench, results):
    done = cnbench(*RUN)
    assert done.code == 0
    (path,) = results.glob("*.jsonl")
    assert str(path) in done.out
    assert "1 s" in done.out
    assert "[1/1] made-up: 6 blocks" in done.err


@pytest.mark.parametrize(
    "argv",
    [
        (*RUN, "--json"),
        ("show", "--json"),
        ("show", "--published", "--json"),
        ("claims", "--json"),
        ("list", "--json"),
        ("list", "made-up", "--json"),
        ("compare", "latest", "latest", "--json"),
        ("compare", "made-up", "-p", "size=1", "--vary", "mode=a,b", "--lab", "host", "--json"),
    ],
)
def test_json_stands_alone_on_stdout(cnbench, argv):
    if argv[0] != "run":
        cnbench(*RUN)
    done = cnbench(*argv)
    assert done.code == 0, done.err
    assert json.loads(done.out)


def test_rows_are_flat_and_complete(cnbench):
    found = json.loads(cnbench(*RUN, "--json").out)
    assert len(found["rows"]) == 2
    row = found["rows"][0]
    assert {
        "experiment", "params", "metric", "unit", "better", "lab", "clock", "kernel", "n",
        "median", "low", "high", "noise", "status", "reason", "proof",
    } <= row.keys()  # fmt: skip
    assert (row["experiment"], row["params"]["mode"], row["unit"]) == ("made-up", "a", "s")
    assert (row["median"], row["low"], row["high"], row["noise"]) == (1, 1, 1, 0)
    assert row["proof"]["holds"] is True
    assert found["rows"] == json.loads(cnbench("show", "--json").out)["rows"]


def test_a_run_stands_beside_what_was_published(cnbench, monkeypatch):
    cnbench(*RUN)
    assert (
        "No published figure is about what this run measured" in cnbench("show", "--published").out
    )
    ours = value_of("cost", size=1)
    figure = Figure("made-up", "a cost", "elsewhere", 2.0, 4.0, "s", "somebody, 2024", ours)
    monkeypatch.setattr(published, "all_published", lambda: (figure,))
    shown = cnbench("show", "--published").out
    for words in ("a cost", "somebody, 2024", "2 – 4 s", "in part", "another machine"):
        assert words in shown


def test_a_list_shows_values_as_people_write_them(cnbench):
    listed = cnbench("list", "cpu-quota").out
    assert "20%" in listed
    assert "100ms, 10ms" in listed


def test_an_output_file_can_be_anywhere(cnbench, results, tmp_path):
    assert cnbench(*RUN, "-o", tmp_path / "deep" / "mine.json").code == 0
    assert not results.exists()
    assert cnbench("show", tmp_path / "deep" / "mine.json").code == 0


def test_a_whole_run_has_nothing_to_resume(cnbench, results):
    cnbench(*RUN)
    (path,) = results.glob("*.jsonl")
    before = path.read_bytes()
    done = cnbench("run", "--resume", "latest")
    assert done.code == 0
    assert "Every case of this run has been measured." in done.err
    assert path.read_bytes() == before


def test_two_runs_are_measured_in_turns(cnbench, tmp_path):
    a, b = tmp_path / "a.json", tmp_path / "b.json"
    for path in (a, b):
        assert cnbench(*RUN, "--budget", "1s", "-o", path).code == 0
    for repeats in ("2", "3"):
        for path in (a, b):
            assert cnbench("run", "--resume", path, "--repeat", repeats).code == 0
    run = run_file.read(a)
    assert run.request.repeats == 3
    assert run.request.budget == 3
    for case in run.cases:
        assert {sample.repeat for sample in case.samples} == {0, 1, 2}
    assert cnbench("compare", a, b).code != 2
    fewer = cnbench("run", "--resume", a, "--repeat", "2")
    fewer.failed_in_one_sentence(2, "has 3 repeats, which is more than 2")


def test_a_failed_case_is_measured_again_on_resume(cnbench, results):
    argv = ("run", "made-up", "-p", "mode=a,broken", "-p", "size=1", "--lab", "host", "--json")
    assert cnbench(*argv).code == 5
    done = cnbench("run", "--resume", "latest", "--json")
    assert done.code == 5
    rows = json.loads(done.out)["rows"]
    assert [(row["params"]["mode"], row["status"]) for row in rows] == [
        ("a", "ok"), ("broken", "failed"),
    ]  # fmt: skip


def test_live_variants_that_cannot_be_measured_are_a_failed_experiment(cnbench):
    argv = ("compare", "made-up", "-p", "size=1", "--lab", "host", "--vary", "mode=a,broken")
    done = cnbench(*argv)
    assert done.code == 5
    assert "the made-up thing broke" in done.err
    assert "Traceback" not in done.err


def test_gc_says_that_there_is_nothing(cnbench, tmp_path, monkeypatch):
    from cnbench.lab import journal

    monkeypatch.setattr(journal, "default_folder", lambda: tmp_path / "journals")
    done = cnbench("gc")
    assert (done.code, done.out, done.err) == (0, "Nothing was left behind.\n", "")


def test_gc_removes_what_a_dead_run_left_and_tells_of_what_it_could_not(
    cnbench, tmp_path, monkeypatch
):
    from cnbench.lab import journal

    folder = tmp_path / "journals"
    folder.mkdir()
    monkeypatch.setattr(journal, "default_folder", lambda: folder)
    left = tmp_path / "cnbench-0123456789ab"
    left.mkdir()
    line = json.dumps({"made": {"kind": "folder", "what": str(left)}})
    (folder / "dead.jsonl").write_text(line + "\n")
    (folder / "odd.jsonl").write_text("odd\n")
    assert cnbench("gc", "--dry-run").out == f"would remove folder {left}\n"
    assert left.exists()
    done = cnbench("gc")
    assert done.code == 5
    assert done.out == f"removed folder {left}\n"
    assert "odd.jsonl is damaged" in done.err
    assert not left.exists()


def test_a_point_asked_for_that_makes_no_sense_is_named(cnbench):
    asked = ("run", "made-up", "-p", "mode=a,b", "-p", "size=1,9", "--budget", "1s")
    done = cnbench(*asked, "--json")
    assert done.code == 0
    assert "left out: made-up mode=b size=9: nine b are too many" in done.err
    vain = {"experiment": "made-up", "params": {"mode": "b", "size": 9}}
    assert json.loads(done.out)["left_out"] == [vain | {"reason": "nine b are too many"}]
    assert "left out" not in cnbench("run", "made-up", "--budget", "1s").err
