"""A path that a user names is not ours to destroy."""

import fcntl
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import made_up
import pytest

from cnbench.core.errors import UsageError
from cnbench.measuring.events import CaseEnded
from cnbench.store import output, run_file, whole_file
from cnbench.store.recorder import Recorder

NOBODY = 65534


@pytest.fixture
def shared(tmp_path):
    """A folder like /tmp, for everybody to write into."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


def test_the_mode_is_what_the_umask_leaves(tmp_path):
    for mask, mode in ((0o022, 0o644), (0o077, 0o600)):
        before = os.umask(mask)
        try:
            whole_file.write(tmp_path / "file", b"x", "the file")
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


def test_a_link_leads_to_what_it_names_and_stays(tmp_path):
    target, link = tmp_path / "deep" / "target", tmp_path / "link"
    link.symlink_to("deep/target")
    whole_file.write(link, b"new", "the file")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_links_in_a_circle_are_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(UsageError, match="could not be written: Too many levels"):
        whole_file.write(tmp_path / "a", b"x", "the file")


@pytest.mark.real
def test_a_link_that_another_user_planted_is_not_followed(shared, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("giving a link away needs root")
    precious, link = tmp_path / "precious", shared / "run.json"
    precious.write_text("mine")
    link.symlink_to(precious)
    os.lchown(link, NOBODY, NOBODY)
    with pytest.raises(UsageError, match="a link that another user has made"):
        whole_file.write(link, b"x", "the file")
    assert precious.read_text() == "mine"


def test_a_pipe_is_written_into(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    whole_file.write(pipe, b"contents", "the file")
    reader.join()
    assert read == [b"contents"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_run_goes_into_a_pipe_once_and_whole(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    recorder = Recorder(made_up.run(), pipe)
    recorder.begin()
    recorder.listen(CaseEnded(made_up.result([1.0])))
    recorder.finish(complete=True)
    reader.join()
    assert len(run_file.decoded(read[0], pipe).cases) == 1


# Tried where /dev is a folder of this process' own, whatever the program under test does to it.
IN_A_DEV_OF_ITS_OWN = """
import os, stat, sys
from pathlib import Path
from cnbench.core.errors import UsageError
from cnbench.store import whole_file
for name in sys.argv[1:]:
    path = Path("/dev", name)
    try:
        whole_file.write(path, b"x", "the run file")
        said = "written"
    except UsageError as error:
        said = str(error)
    mode = path.stat().st_mode
    print(name, "device" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else "file", said, sep="; ")
"""


@pytest.mark.real
def test_a_device_stays_a_device():
    if os.geteuid() != 0:
        pytest.skip("a mount namespace needs root")
    made = "mknod /dev/null c 1 3 && mknod /dev/disk b 7 250"
    script = f'mount -t tmpfs none /dev && {made} && exec "$@"'
    argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]
    argv += [sys.executable, "-c", IN_A_DEV_OF_ITS_OWN, "null", "disk"]
    done = subprocess.run(argv, capture_output=True, text=True)
    if "mknod" in done.stderr or "unshare" in done.stderr:
        pytest.skip(f"devices cannot be made here: {done.stderr}")
    assert done.stdout.splitlines() == [
        "null; device; written",
        "disk; device; the run file /dev/disk could not be written: it is a disk or a socket",
    ], done.stderr


def test_what_this_process_has_open_is_written_into(tmp_path):
    program = (
        "from pathlib import Path\nfrom cnbench.store import whole_file\n"
        "whole_file.write(Path('/dev/stdout'), b'contents', 'the file')\n"
    )
    path = tmp_path / "out"
    with path.open("wb") as out:
        subprocess.run([sys.executable, "-c", program], stdout=out, check=True)
    assert path.read_bytes() == b"contents"
    assert list(tmp_path.iterdir()) == [path]


def check(path, force=False):
    output.check(path, "run file", run_file.begins_one, force=force)


def test_only_a_run_file_makes_way_for_a_run(tmp_path):
    path = tmp_path / "run.json"
    check(path)  # nothing is there
    run_file.write(made_up.run(), path)
    check(path)
    path.write_bytes(path.read_bytes()[:100])  # one that was damaged
    check(path)
    path.write_text("")
    check(path)
    path.write_text("my thesis")
    with pytest.raises(UsageError, match="is there and is no run file of cnbench"):
        check(path)
    check(path, force=True)
    assert path.read_text() == "my thesis"
    with pytest.raises(UsageError, match="could not be written: Is a directory"):
        check(tmp_path, force=True)


def test_what_a_killed_writer_left_goes_with_the_next_write(tmp_path):
    left, writing = (tmp_path / f".cnbench-{digit * 12}.part" for digit in "ab")
    foreign = tmp_path / ".cnbench-notes.part"
    for path in (left, writing, foreign):
        path.write_text("half")
    with writing.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as who writes it holds
        assert whole_file.remove_unfinished(tmp_path, dry_run=True) == [left]
        whole_file.write(tmp_path / "file", b"x", "the file")
    assert {path.name for path in tmp_path.iterdir()} == {"file", writing.name, foreign.name}


def test_a_writer_that_is_killed_leaves_what_gc_knows(tmp_path):
    program = (
        "import os, signal\nfrom pathlib import Path\nfrom cnbench.store import whole_file\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"whole_file.write(Path({str(tmp_path / 'run.json')!r}), b'x', 'the file')\n"
    )
    subprocess.run([sys.executable, "-c", program])
    assert len(list(tmp_path.iterdir())) == 1
    environment = os.environ | {"CNBENCH_RESULTS": str(tmp_path)}
    program = "from cnbench.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "gc"], env=environment, capture_output=True, text=True
    )
    assert "removed the half-written" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_has_room_a_run_goes_where_there_is_some(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    home = tmp_path / "home"
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(blocked / "temporary"))
    monkeypatch.setattr("cnbench.store.recorder._OTHER_REFUGES", (blocked / "other",))
    monkeypatch.setattr(Path, "home", lambda: home)
    recorder = Recorder(made_up.run(made_up.result([1.0])), blocked / "run.json")
    with pytest.raises(UsageError, match=f"the whole run is in {home}"):
        recorder.finish(complete=True)
    (path,) = home.iterdir()
    assert len(run_file.read(path).cases) == 1
