"""A command in a guest: what it writes and how it ends comes back as it was."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from cnbench.lab.guest import start

PROGRAM = "from cnbench.cli.main import main; main()"
# Half of an é, a moment before the other half.
HALVES = r"printf 'caf\303'; sleep 0.1; printf '\251'; echo oh >&2"


def told(argv: list[str], given: str = "") -> list[dict[str, object]]:
    """What the guest's side tells, run here: it is a program like any other."""
    done = subprocess.run(
        [sys.executable, "-m", "cnbench.lab.guest.remote_command"],
        input=json.dumps({"argv": argv, "stdin": given}) + "\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_both_streams_are_told_whole_and_the_status_last() -> None:
    lines = told(["sh", "-c", HALVES])
    assert "".join(str(line.get("stdout", "")) for line in lines) == "café"
    assert "".join(str(line.get("stderr", "")) for line in lines) == "oh\n"
    assert lines[-1] == {"status": 0}


def test_a_command_reads_what_it_was_given() -> None:
    assert told(["cat"], "one\ntwo\n")[0] == {"stdout": "one\ntwo\n"}


@pytest.mark.parametrize(
    ("script", "status"), [("exit 7", 7), ("kill -9 $$", 128 + 9), ("kill -TERM $$", 128 + 15)]
)
def test_an_end_is_counted_as_a_shell_does(script: str, status: int) -> None:
    assert told(["sh", "-c", script]) == [{"status": status}]


def test_a_command_that_is_not_there_is_said() -> None:
    assert told(["no-such-command"]) == [
        {"stderr": "no-such-command: No such file or directory\n"},
        {"status": 127},
    ]


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("qemu-system-x86_64") is None or not start.is_built("trixie"),
    reason="needs QEMU and: cnbench guest build",
)
def test_a_guest_runs_a_command_under_its_own_kernel() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "guest", "run", "--", "uname", "-r"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "cloud-amd64" in done.stdout
