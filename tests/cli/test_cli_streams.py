"""Output whose reader goes away, that has no room, or that has no such characters."""

import subprocess
import sys
import threading

import pytest
from cli_program import PROGRAM

from cnbench.store import run_file

RUN = ("run", "made-up", "-p", "mode=a", "--lab", "host")
BROKEN = (
    "from cnbench.cli import main\nfrom cnbench.store import runs\n"
    "def fail(*_): raise ZeroDivisionError('a\\nb')\n"
    "runs.all_runs = fail\nmain.main()\n"
)


def in_a_shell(script, *argv):
    """What ``script`` gives, in which "$@" is the command."""
    return subprocess.run(
        ["sh", "-c", script, "sh", sys.executable, "-c", PROGRAM, *argv],
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_a_reader_that_goes_away_ends_no_run(results):
    done = in_a_shell('{ "$@" 2>&1; echo $? >&3; } 3>code | head -1', *RUN)
    (path,) = results.glob("*.jsonl")
    assert len(run_file.read(path).cases) == 3
    assert run_file.read(path).finished
    assert (results.parent / "code").read_text() == "0\n"
    assert done.stderr == ""


def test_a_gates_verdict_outlives_its_reader(results):
    in_a_shell('"$@"', "run", "made-up", "--lab", "host", "-p", "mode=a", "-p", "spread=0%")
    script = '{ "$@"; echo $? >code; } | true'
    in_a_shell(script, "compare", "latest", "latest", "--fail-on", "2%")
    loud = in_a_shell('"$@"', "compare", "latest", "latest", "--fail-on", "2%")
    assert (results.parent / "code").read_text() == f"{loud.returncode}\n"


@pytest.mark.parametrize("command", [["--help"], ["list"], ["show", "nothing"], ["run", "--help"]])
def test_nobody_that_listens_is_never_worse(results, command):
    in_a_shell('{ "$@" 2>&1; echo $? >code; } | true', *command)
    assert (results.parent / "code").read_text() in ("0\n", "2\n")


def test_closed_output_is_no_trouble(results):
    assert in_a_shell('"$@" >&- 2>&-', "list").returncode == 0


def test_a_full_disk_behind_the_output_is_one_sentence(results):
    done = in_a_shell('"$@" >/dev/full', "list")
    assert done.returncode == 2
    assert done.stderr == "cnbench: No space left on device\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_poor_character_set_costs_no_run(results, encoding):
    script = f'PYTHONUTF8=0 LC_ALL=C PYTHONIOENCODING={encoding} "$@" >out'
    done = in_a_shell(script, *RUN, "-p", "size=1")
    assert done.returncode == 0, done.stderr
    assert "noise floor" in (results.parent / "out").read_bytes().decode(encoding)
    assert "Traceback" not in done.stderr
    assert len(run_file.read(next(iter(results.glob("*.jsonl")))).cases) == 1


def test_a_fault_of_ours_is_one_sentence_and_not_worse(results, monkeypatch):
    def call():
        return subprocess.run(
            [sys.executable, "-c", BROKEN, "show", "latest"], capture_output=True, text=True
        )

    done = call()
    assert done.returncode == 5
    first, remedy = done.stderr.splitlines()
    assert first == "cnbench: a fault in cnbench: ZeroDivisionError: a b"
    assert "CNBENCH_DEBUG=1" in remedy
    monkeypatch.setenv("CNBENCH_DEBUG", "1")
    assert "Traceback" in call().stderr


def test_a_terminal_obeys_no_run_file(cnbench, results):
    import made_up

    odd = "\x1b]0;title\x07\x9b31m\u202e[/]"
    bad = made_up.result([], status="failed", reason=odd, remedy=odd)
    good = made_up.result([1.0] * 6, mode=odd)
    run_file.write(made_up.run(good, bad, identity=odd), results / "a.json")
    run_file.write(made_up.run(good, identity="b"), results / "b.json")
    (results / "c.json").write_text('{"format": "' + r"\u001b[31m" + '", "schema": 1}')
    for argv in (["show", "a"], ["show", "a", "--json"], ["compare", "a", "b"], ["show", "c"],
                 ["show", "latest"], ["show", "--published", "a"], ["show", odd]):  # fmt: skip
        done = cnbench(*argv)
        assert done.code in (0, 2, 3, 4, 5), done.err
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(done.out + done.err)
        assert "a fault in cnbench" not in done.err


def test_a_pipe_takes_a_run_and_what_is_shown_goes_beside(spawn, tmp_path):
    import os

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = spawn(*RUN, "-p", "size=1", "-o", pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    out, err = process.communicate(timeout=300)
    reader.join()
    assert process.returncode == 0, err
    assert len(run_file.decoded(read[0], pipe).cases) == 1
    assert "made-up" in out
