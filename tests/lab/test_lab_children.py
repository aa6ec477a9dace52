"""What a run starts ends with it, at whatever moment that dies."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from journals import dead_journal, line

from cnbench.core.errors import CnbenchError
from cnbench.lab import processes
from cnbench.lab.host import open_lab
from cnbench.lab.journal import collect
from cnbench.lab.resources import Resource, remove

RUN = "0123456789ab"
PATIENCE = 30.0


def test_a_child_of_the_dead_ends_before_it_begins():
    """As when a kill falls between fork and prctl: the parent is gone when the child asks."""
    reading, writing = os.pipe()
    between = os.fork()
    if not between:
        parent = os.getpid()
        prepare = processes._dying_with(parent)
        if not os.fork():
            while os.getppid() == parent:
                time.sleep(0.001)
            prepare()
            os.write(writing, b"it lives")
        os._exit(0)
    os.close(writing)
    os.waitpid(between, 0)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == b""  # the only other end closed without a word


def test_a_child_of_the_living_begins():
    with processes.running(["sleep", "60"]) as process:
        time.sleep(0.05)
        assert process.poll() is None


@pytest.fixture
def orphan():
    """A process that a run called RUN has started, and that has outlived it."""
    environment = os.environ | {processes.RUN_VARIABLE: RUN}
    with subprocess.Popen(["sleep", "600"], env=environment) as process:
        yield process
        process.kill()


def test_gc_ends_a_dead_runs_processes_and_no_others(tmp_path, orphan):
    resource = Resource("processes", RUN)
    other = os.environ | {processes.RUN_VARIABLE: "f" * 12}
    with subprocess.Popen(["sleep", "600"], env=other) as living:
        dead_journal(tmp_path, line("made", resource))
        assert collect(tmp_path, dry_run=True) == ([resource], [])
        assert collect(tmp_path) == ([resource], [])
        assert orphan.wait(PATIENCE) == -signal.SIGKILL
        assert living.poll() is None
        living.kill()


def test_processes_are_named_by_a_run_alone():
    for what in ("", "sleep", RUN + "0", "../" + RUN):
        with pytest.raises(CnbenchError, match="left alone"):
            remove(Resource("processes", what))


def test_a_tools_own_children_end_with_the_lab(tmp_path):
    """A tool that was given up leaves what it started behind, unless it is looked for."""
    with open_lab("host", "wall", tmp_path) as lab:
        assert os.environ[processes.RUN_VARIABLE] == lab.journal.run
        with subprocess.Popen(["sh", "-c", "sleep 600 & echo $!"], stdout=subprocess.PIPE) as tool:
            pid = int(tool.stdout.readline())
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if ") Z " in Path(f"/proc/{pid}/stat").read_text():
                break
            time.sleep(0.01)
            continue
        break
    else:
        raise AssertionError("it lives")
    assert processes.RUN_VARIABLE not in os.environ
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["signal.raise_signal(signal.SIGINT)", "1 / 0", "pass"])
def test_no_end_but_a_kill_leaves_a_journal(tmp_path, ending):
    journals, temporary = tmp_path / "journals", tmp_path / "temporary"
    temporary.mkdir()
    program = (
        "import signal\nfrom pathlib import Path\nfrom cnbench.lab.host import open_lab\n"
        f"with open_lab('host', 'wall', Path({str(journals)!r})) as lab: {ending}\n"
    )
    environment = os.environ | {"TMPDIR": str(temporary)}
    subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True)
    assert list(journals.iterdir()) == []
    assert list(temporary.iterdir()) == []


def test_a_temporary_folder_is_named_from_anywhere(tmp_path):
    program = (
        "from pathlib import Path\nfrom cnbench.lab.host import open_lab\n"
        "with open_lab('host', 'wall', Path('journals').absolute()) as lab: print(lab.folder)\n"
    )
    environment = os.environ | {"TMPDIR": "."}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith(f"{tmp_path}/cnbench-"), done.stderr
