"""Tools that are broken, hang or print what is no text, and machines that allow little."""

import json
import os
import subprocess
import sys

import pytest
from cli_program import PROGRAM

pytestmark = pytest.mark.real
NFTABLES = ("run", "service-routing", "--lab", "host", "-p", "mode=nftables", "-p", "services=1",
            "-p", "position=first", "--budget", "0.1s", "--json")  # fmt: skip
MADE_UP = ("run", "made-up", "-p", "mode=a", "-p", "size=1", "--lab", "host")
# As `commands` waits for in planning, shortened: a fault that takes ten seconds is none for a test.
IMPATIENT = "from cnbench.lab import commands; commands._PLANNING_SECONDS = 0.5\n" + PROGRAM


@pytest.fixture
def root():
    if os.geteuid() != 0:
        pytest.skip("this needs root")


@pytest.fixture
def run(results, tmp_path):
    """Runs the command, with a tool of ours before all others, or after a script."""

    def call(*argv, before=(), program=PROGRAM, **tools):
        folder = tmp_path / "tools"
        folder.mkdir(exist_ok=True)
        for name, contents in tools.items():
            (folder / name).write_bytes(contents)
            (folder / name).chmod(0o755)
        environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}
        return subprocess.run(
            [*before, sys.executable, "-c", program, *argv],
            capture_output=True, text=True, env=environment, timeout=300,
        )  # fmt: skip

    return call


def reasons(done):
    assert "Traceback" not in done.stderr
    return {(row["status"], row["reason"]) for row in json.loads(done.stdout)["rows"]}


BROKEN = {
    "empty": (b"", "cannot be run: Exec format error"),
    "another machine's": (b"\x7fELF\x02\x01\x01" + b"\0" * 57, "cannot be run: Exec format error"),
    "one without its interpreter": (b"#!/nowhere\n", "cannot be run: No such file or directory"),
    "no text": (
        b"#!/bin/sh\nprintf '\\377\\376 broken' >&2; exit 3\n",
        "exited with 3: \ufffd\ufffd",
    ),
    "it hangs": (b"#!/bin/sh\nexec sleep 600\n", "only says what it can do, and had not ended"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_tool_is_its_own_sentence(root, run, kind):
    contents, words = BROKEN[kind]
    done = run(*NFTABLES, program=IMPATIENT, nft=contents)
    assert done.returncode == 5
    ((status, reason),) = reasons(done)
    assert status == "unsupported"
    assert words in reason
    assert "nft" in reason


def test_a_tool_that_prints_no_text_is_read(run):
    from cnbench.lab import commands

    script = "printf '\\377a'; printf '\\376b' >&2"
    for given in (None, "x", iter(["x"])):
        done = commands.run(["sh", "-c", script], input=given)
        assert (done.stdout, done.stderr) == ("\ufffda", "\ufffdb")


@pytest.mark.parametrize(
    ("capability", "words"),
    [("net_admin", "CAP_NET_ADMIN is missing"), ("sys_admin", "Operation not permitted")],
)
def test_a_missing_capability_is_its_own_sentence(root, run, capability, words):
    before = ("setpriv", f"--bounding-set=-{capability}", f"--inh-caps=-{capability}")
    done = run(*NFTABLES, before=before)
    assert done.returncode == 5
    ((status, reason),) = reasons(done)
    assert status == "unsupported"
    assert words in reason


def mounted(script):
    return (
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        f'{script} && exec "$@"',
        "sh",
    )


READ_ONLY = (
    "for it in $(awk '$3 ~ /^cgroup/ {print $2}' /proc/mounts); "
    "do mount -o remount,bind,ro $it; done"
)


def test_read_only_cgroups_are_known_beforehand(root, run):
    done = run("doctor", "--json", before=mounted(READ_ONLY))
    found = [one for one in json.loads(done.stdout) if one["experiment"] == "cpu-quota"]
    assert not any(one["supported"] for one in found), done.stderr
    assert any("Read-only file system" in one["reason"] for one in found)
    done = run("run", "cpu-quota", "--lab", "host", "--json", before=mounted(READ_ONLY))
    assert {status for status, _ in reasons(done)} == {"unsupported"}


FULL = "mkdir -p {0} && mount -t tmpfs -o nr_inodes=1,mode=700 none {0}"


def test_a_full_run_is_its_own_sentence(root, run):
    done = run(*MADE_UP, before=mounted(FULL.format("/run/cnbench")))
    assert done.returncode == 5, done.stderr
    assert "the journal cannot be written in /run/cnbench: No space left" in done.stderr
    assert "fault in cnbench" not in done.stderr


def test_a_full_folder_for_temporary_files_is_not_the_only_one(root, run, tmp_path):
    full = tmp_path / "full"
    before = mounted(f"{FULL.format(full)} && export TMPDIR={full}")
    assert run(*MADE_UP, before=before).returncode == 0
